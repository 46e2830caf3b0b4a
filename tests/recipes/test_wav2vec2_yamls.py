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


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """``sources(family)``: folder of its tiny model."""
    root = tmp_path_factory.mktemp("sources")

    def get(family):
        if not (root / family).exists():
            MATRIX["make_tiny"](family, root / family)
        return str(root / family)

    return get


def test_they_are_what_the_script_writes():
    assert sorted(FILES) == YAMLS
    for path, text in FILES.items():
        assert path.read_text() == text, "run tools/wav2vec2_yamls.py"


@pytest.mark.parametrize("yaml", [*YAMLS, *PUBLISHED], ids=name)
def test_two_steps(yaml, sources, tmp_path):
    """With families of different forms, in turn."""
    families = ["wav2vec 2.0", "WavLM", "HuBERT, large", "data2vec-audio"]
    corpora = sorted({path.parts[-4] for path in YAMLS})
    family = families[corpora.index(yaml.parts[-4]) % len(families)]
    overrides = {
        "data_folder": "none",
        "output_folder": str(tmp_path),
        "source": sources(family),
        "max_length": 24,
        "batch_size": 4,
    }
    for key, value in {"reduction_rate": 6, "lora_reduction_rate": 6}.items():
        if f"\n{key}:" in yaml.read_text():
            overrides[key] = value
    hparams = load_hyperpyyaml(yaml.read_text(), overrides)
    model, front_end = hparams["encoder"].train(), hparams["compute_features"]
    head = hparams["classifier"](hparams["backbone"].embedding_size, 3)
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
    assert bool(moved) == (yaml.stem != "linear")
    assert logits.isfinite().all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "corpus, variant, family",
    [
        ("ESC50", "ipet", "wav2vec 2.0"),
        ("GoogleSpeechCommands", "lora", "WavLM, large"),
    ],
)
def test_a_run(corpus, variant, family, sources, arguments, train, tmp_path):
    rate = "reduction_rate" if variant == "ipet" else "lora_reduction_rate"
    options = ["--debug", "--debug_persistently", f"--{rate}", "6"]
    args = arguments(corpus, tmp_path, *options)
    args[args.index("--source") + 1] = sources(family)
    folder = ROOT / "recipes" / corpus / "hparams" / "wav2vec2"
    train(folder / f"{variant}.yaml", args)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["trainable"]["method"] > 0
