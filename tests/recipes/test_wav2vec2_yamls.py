"""The YAMLs of wav2vec 2.0: what they are, and that they train any of its kin."""

import json
import runpy
from pathlib import Path

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml

ROOT = Path(__file__).parents[2]
MATRIX = runpy.run_path(str(ROOT / "tools" / "backbone_matrix.py"))
FILES = runpy.run_path(str(ROOT / "tools" / "wav2vec2_yamls.py"))["files"]()
YAMLS = sorted(ROOT.glob("recipes/*/hparams/wav2vec2/*.yaml"))
PUBLISHED = sorted(ROOT.glob("recipes/*/hparams/published/wav2vec2_*.yaml"))


def name(path):
    """Names a test."""
    return f"{path.parts[-4]}-{path.stem}"


def test_they_are_what_the_script_writes():
    assert sorted(FILES) == YAMLS
    for path, text in FILES.items():
        assert path.read_text() == text, "run tools/wav2vec2_yamls.py"


FAMILIES = list(MATRIX["FAMILIES"])


def families_of(yaml):
    """Each family meets each corpus, with its variants in turn."""
    variants = [path for path in YAMLS if path.parent == yaml.parent]
    return FAMILIES[variants.index(yaml) :: len(variants)]


@pytest.mark.parametrize("yaml", YAMLS, ids=name)
def test_two_steps(yaml, family_overrides, tmp_path):
    for family in families_of(yaml):
        two_steps(yaml, family, family_overrides, tmp_path)


@pytest.mark.parametrize("yaml", PUBLISHED, ids=name)
def test_two_steps_of_a_published_yaml(yaml, family_overrides, tmp_path):
    two_steps(yaml, "wav2vec 2.0", family_overrides, tmp_path)


def two_steps(yaml, family, family_overrides, folder):
    """Takes two steps with a YAML's objects."""
    text = yaml.read_text()
    overrides = {
        "data_folder": "none",
        "output_folder": str(folder),
        "batch_size": 4,
        **family_overrides(family, text),
    }
    hparams = load_hyperpyyaml(text, overrides)
    model, front_end = hparams["encoder"].train(), hparams["compute_features"]
    head = hparams["classifier"](hparams["encoder"].embedding_size, 3)
    parameters = [*model.parameters(), *head.parameters()]
    optimizer = hparams["opt_class"]([p for p in parameters if p.requires_grad])
    wavs, lens = torch.randn(3, 5000), torch.tensor([1.0, 0.5, 0.7])
    before = {n: t.clone() for n, t in model.state_dict().items()}
    for _ in range(2):
        optimizer.zero_grad()
        logits = head(model(front_end(wavs, lens), lens))
        torch.nn.functional.cross_entropy(
            logits, torch.tensor([0, 1, 2])
        ).backward()
        optimizer.step()
    moved = {n for n, t in model.state_dict().items() if (t != before[n]).any()}
    assert bool(moved) == bool(model.delta()), family
    assert logits.isfinite().all(), family


def test_every_family_meets_every_corpus():
    for folder in {path.parent for path in YAMLS}:
        met = [f for y in YAMLS if y.parent == folder for f in families_of(y)]
        assert sorted(met) == sorted(FAMILIES)


RUNS = [
    ("wav2vec 2.0", "ESC50", "ipet"),
    ("WavLM, large", "GoogleSpeechCommands", "lora"),
    ("data2vec-audio", "FluentSpeechCommands", "adapter_hou_par"),
    ("Whisper's encoder", "UrbanSound8k", "full_ft"),
]


@pytest.mark.slow
@pytest.mark.parametrize("family, corpus, variant", RUNS)
def test_a_run(
    family, corpus, variant, family_overrides, arguments, train, tmp_path
):
    """From the command to an artefact; a few-shot draw where there is one."""
    yaml = ROOT / "recipes" / corpus / "hparams" / "wav2vec2"
    yaml = yaml / f"{variant}.yaml"
    given = family_overrides(family, yaml.read_text())
    args = arguments(corpus, tmp_path, "--debug", "--debug_persistently")
    for key in ("source", "max_length"):
        args[args.index(f"--{key}") + 1] = str(given.pop(key))
    for key, value in given.items():
        args += [f"--{key}", "null" if value is None else str(value)]
    few_shot = "\nshots:" in yaml.read_text()
    train(yaml, [*args, *(["--shots", "1"] if few_shot else [])])
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["trainable"]["method"] > 0
    assert (tmp_path / "artefact" / "artefact.json").exists()
