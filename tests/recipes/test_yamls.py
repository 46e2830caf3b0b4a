"""Every YAML of every corpus: it runs, and says no more than it must."""

import json
import re
import runpy
from pathlib import Path

import pytest
import yaml as pyyaml
from speechbrain_petl.experiments.planning.recipes import read_recipe

from speechbrain.utils.run_opts import RunOptions

ROOT = Path(__file__).parents[2]
RECIPES = sorted(path.parent for path in ROOT.glob("recipes/*/train.py"))
YAMLS = sorted(ROOT.glob("recipes/*/hparams/*.yaml"))
PUBLISHED = sorted(ROOT.glob("recipes/*/hparams/published/ipet.yaml"))
UPPER = sorted(ROOT.glob("recipes/*/hparams/upper/*.yaml"))
SPREAD = runpy.run_path(str(ROOT / "tools" / "spread_variants.py"))


def corpus(yaml):
    """Names the recipe of a YAML."""
    return yaml.relative_to(ROOT / "recipes").parts[0]


def name(path):
    """Names a test."""
    if path in RECIPES:
        return path.name
    folder = "" if path in YAMLS else f"{path.parent.name}-"
    return f"{corpus(path)}-{folder}{path.stem}"


@pytest.mark.parametrize("yaml", [*YAMLS, *UPPER, *PUBLISHED], ids=name)
def test_every_yaml_runs(yaml, arguments, train, tmp_path):
    args = arguments(corpus(yaml), tmp_path, "--debug")
    train(yaml, [*args, "--debug_persistently"])
    results = json.loads((tmp_path / "results.json").read_text())
    trainable = results["trainable"]
    assert trainable["head"] >= 192 * 4 + 4
    assert trainable["norm_final"] in (0, 192, 384)
    assert results["hyperparameters"]["max_length"] == 48
    pictures = list(tmp_path.glob("*.png"))
    assert pictures and all(one.stat().st_size > 1000 for one in pictures)
    log = (tmp_path / "train_log.txt").read_text()
    assert re.search(f"epoch: 2.*train loss.*valid {results['selects']}", log)
    assert (tmp_path / "train.py").is_file(), "the script is kept"
    assert not (tmp_path / "launch.py").exists()


@pytest.mark.parametrize("variant", ["lora", "linear"])
def test_mixup_and_binary_cross_entropy(variant, arguments, train, tmp_path):
    """Options of every recipe; of clips that are not stored."""
    yaml = ROOT / "recipes" / "ESC50" / "hparams" / f"{variant}.yaml"
    args = [*arguments("ESC50", tmp_path, "--debug"), "--mixup", "0.5"]
    if variant == "linear":
        with pytest.raises(ValueError, match="mixup is 0.5.*stored_states"):
            train(yaml, [*args, "--stored_states", "fp32"])
        return
    train(yaml, [*args, "--loss", "bce", "--debug_persistently"])
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["hyperparameters"]["mixup"] == 0.5
    assert results["hyperparameters"]["loss"] == "bce"
    assert results["loss"] < 2, "a mean over the classes too"


def test_stored_states_of_clips_with_several_labels(arguments, train, tmp_path):
    """What is stored changes nothing that is measured."""
    yaml = ROOT / "recipes" / "FSD50K" / "hparams" / "linear.yaml"
    results = []
    for stored in ("null", "fp32"):
        folder = tmp_path / stored
        args = arguments("FSD50K", folder, "--debug", "--debug_persistently")
        masks = ["--freq_mask", "0", "--time_mask", "0"]
        train(yaml, [*args, *masks, "--stored_states", stored])
        results.append(json.loads((folder / "results.json").read_text()))
    for key in ("mAP", "loss", "valid_loss"):
        assert results[0][key] == pytest.approx(results[1][key], abs=1e-5)


@pytest.mark.parametrize("recipe", RECIPES, ids=name)
def test_every_corpus_has_the_variants_that_it_lists(recipe):
    found = [
        str(path.relative_to(recipe / "hparams").with_suffix(""))
        for path in recipe.glob("hparams/**/*.yaml")
    ]
    assert sorted(found) == sorted(SPREAD["variants_of"](recipe.name))


def test_corpora_do_not_drift_apart():
    wanted = SPREAD["files"]()
    rows = list(ROOT.glob("tests/recipes/*.csv"))
    assert sorted(wanted) == sorted([*YAMLS, *UPPER, *rows])
    for path, text in wanted.items():
        assert path.read_text() == text, "run tools/spread_variants.py"


@pytest.mark.parametrize(
    "value, shown",
    [(0.00005, "0.00005"), (1.0, "1.0"), (8, "8"), ("accuracy", "accuracy")],
)
def test_a_corpus_sets_a_key(value, shown):
    set_keys = SPREAD["set_keys"]
    text = set_keys("a: 1\nkey: 2  # why\n", {"key": value})
    assert text == f"a: 1\nkey: {shown}  # why\n"
    with pytest.raises(AssertionError, match="0 x other"):
        set_keys(text, {"other": 1})


@pytest.mark.parametrize("recipe", RECIPES, ids=name)
def test_variants_differ_only_where_they_must(recipe):
    """Header, name, learning rate, head, method block and what it takes.

    And what its corpus.yaml sets otherwise.
    """
    yamls = sorted(recipe.glob("hparams/*.yaml"))
    settings = read_recipe(recipe).settings or {}
    own = "|".join(sorted({key for keys in settings.values() for key in keys}))

    def common(yaml):
        text = yaml.read_text()
        text = text[text.index("# Seed needs") :]
        text = re.sub(r"\n# Method\n.*?\n\n", "\n", text, flags=re.S)
        text = re.sub(r"\n( *)encoder: .*?\n\n", "\n", text, flags=re.S)
        text = re.sub(r"\nclassifier: .*?\n\n", "\n", text, flags=re.S)
        text = re.sub(rf"\n(lr|pooling|{own or 'lr'}): .*", "", text)
        return text.replace(f"experiment_name: {yaml.stem}\n", "")

    first = common(yamls[0])
    for yaml in yamls:
        assert common(yaml) == first, yaml.name
        assert f"python train.py hparams/{yaml.name} " in yaml.read_text()
        assert f"experiment_name: {yaml.stem}\n" in yaml.read_text()


class Loader(pyyaml.SafeLoader):
    """Reads a YAML's keys and leaves its tags alone."""


Loader.add_multi_constructor("!", lambda *_: None)


@pytest.mark.parametrize("yaml", [*YAMLS, *PUBLISHED], ids=name)
def test_no_key_is_dead(yaml):
    """Each is referred to, or an option of SpeechBrain."""
    text = yaml.read_text()
    recipe = ROOT / "recipes" / corpus(yaml)
    script = (recipe / "train.py").read_text()
    for key in pyyaml.load(text, Loader):
        assert (
            f"<{key}>" in text
            or f'hparams["{key}"]' in script
            or f'hparams.get("{key}"' in script
            or f"self.hparams.{key}(" in script
            or key in RunOptions().as_dict()
            or key == "__set_seed"
        ), key
