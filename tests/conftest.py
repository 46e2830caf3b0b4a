"""Holds for the whole suite, doctests included."""

import json
import logging
import os
import runpy
import sys
from pathlib import Path

import pytest
import torch
from packaging.version import Version

RECORD = {}  # (fault, test): how often it was tried and went well, or did not


def pytest_addoption(parser):
    """For docs/RELIABILITY.md, which tools/reliability_table.py makes."""
    parser.addoption("--record", help="write which faults were tried, as JSON")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Lets Hypothesis ask every module for its file.

    SpeechBrain's lazy ones would import what is not installed. And with torch
    2.7, a test that is ``traced`` may fail.
    """
    if Version(torch.__version__) < Version("2.8"):
        reason = "its dynamo cannot trace all of this"
        for item in items:
            if item.get_closest_marker("traced"):
                item.add_marker(pytest.mark.xfail(reason=reason, strict=False))
    from speechbrain.utils.importutils import LazyModule

    for module in list(sys.modules.values()):
        if isinstance(module, LazyModule):
            module.__dict__.setdefault("__file__", None)


@pytest.fixture
def record(request):
    """``record(fault, times=1)``: this test tries a fault.

    A test that tries one fault only has the marker ``fault`` instead.
    """
    request.node.faults = []
    return lambda fault, times=1: request.node.faults.append((fault, times))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Notes in a test's report which faults it tried."""
    report = yield
    tried = list(getattr(item, "faults", []))
    tried += [(mark.args[0], 1) for mark in item.iter_markers("fault")]
    test = f"{item.path.stem}::{item.originalname}"
    report.faults = [(fault, test, times) for fault, times in tried]
    return report


def pytest_runtest_logreport(report):
    """Notes how the trials of faults went, also those of other processes."""
    if report.when == "call" and not report.skipped:
        # Doctests of the library have none.
        for fault, test, times in getattr(report, "faults", []):
            entry = RECORD.setdefault((fault, test), {"passed": 0, "failed": 0})
            entry[report.outcome] += times


def pytest_sessionfinish(session):
    """Writes what was noted."""
    file = session.config.getoption("--record")
    if file and not hasattr(session.config, "workerinput"):
        rows = [
            {"fault": fault, "test": test, **times}
            for (fault, test), times in sorted(RECORD.items())
        ]
        Path(file).write_text(json.dumps(rows, indent=2) + "\n")


# The suite needs no network; a test that asks the hub for anything fails.
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Decoded clips go into a folder of the tests, not into the user's."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["SPEECHBRAIN_PETL_CACHE"] = str(folder)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Another machine, where nobody knows this one's backbones."""
    monkeypatch.setenv("SPEECHBRAIN_PETL_CACHE", str(tmp_path / "elsewhere"))
    monkeypatch.delenv("SPEECHBRAIN_PETL_BACKBONES", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """A tiny AST in Hugging Face's format, no tensor of it trivial."""
    import torch
    from transformers import ASTConfig, ASTModel

    config = ASTConfig(
        hidden_size=192,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=128,
        max_length=100,
        frequency_stride=16,
        time_stride=16,
    )
    model = ASTModel(config)
    generator = torch.Generator().manual_seed(7)
    for name, tensor in model.state_dict().items():
        torch.nn.init.normal_(tensor, std=0.1, generator=generator)
        if "layernorm" in name and name.endswith("weight"):
            tensor += 1.0
    folder = tmp_path_factory.mktemp("tiny_ast")
    model.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def tiny_ast(tiny_folder):
    """The tiny AST as a lobe."""
    from speechbrain_petl.lobes.ast import AST

    return AST(tiny_folder)


@pytest.fixture(scope="session")
def make_artefact(tiny_folder, tmp_path_factory):
    """Writes the artefact of a recipe's YAML, as if it had been trained.

    ``make_artefact(folder, yaml, labels, facts, **overrides)``; every trained
    tensor is far from its start.
    """
    import torch
    from hyperpyyaml import load_hyperpyyaml, resolve_references
    from speechbrain_petl.artefacts.write import write_artefact

    from speechbrain.dataio.encoder import CategoricalEncoder

    recipe = Path(__file__).parents[1] / "recipes" / "ESC50" / "hparams"

    def make(
        folder, yaml="adapter_hou_par", labels="abc", facts=None, **overrides
    ):
        text = (recipe / f"{yaml}.yaml").read_text()
        overrides = {
            "data_folder": "nowhere",
            "source": tiny_folder,
            "max_length": 48,
            "output_folder": str(tmp_path_factory.mktemp("run")),
            **overrides,
        }
        hparams = load_hyperpyyaml(text, overrides)
        encoder = CategoricalEncoder()
        encoder.update_from_iterable(labels)
        width = hparams["encoder"].embedding_size
        head = hparams["classifier"](width, len(encoder))
        generator = torch.Generator().manual_seed(len(labels))
        with torch.no_grad():
            for tensor in hparams["encoder"].delta().values():
                if tensor.is_floating_point():
                    noise = torch.empty_like(tensor)
                    tensor += noise.normal_(generator=generator).abs() * 0.1
        write_artefact(
            folder,
            hparams["backbone"],
            hparams["compute_features"],
            hparams["encoder"],
            head,
            encoder,
            resolve_references(text, overrides).getvalue(),
            {
                "method": hparams["experiment_name"],
                "trainable": hparams["encoder"].count_parameters(),
                "training": {
                    "corpus": "ESC-50",
                    "hyperparameters": {"lr": 0.1},
                },
                "metrics": {"accuracy": 0.5},
                **(facts or {}),
            },
        )
        return hparams, head

    return make


@pytest.fixture(scope="session")
def family_source(tmp_path_factory):
    """``family_source(family)``: folder of its tiny random model."""
    root = tmp_path_factory.mktemp("families")
    tool = Path(__file__).parents[1] / "tools" / "backbone_matrix.py"
    make_tiny = runpy.run_path(str(tool))["make_tiny"]
    made = {}

    def get(family):
        if family not in made:
            made[family] = root / family.replace(" ", "_")
            make_tiny(family, made[family])
        return str(made[family])

    return get


@pytest.fixture(scope="session")
def family_overrides(family_source):
    """``family_overrides(family, text)``: of a wav2vec2 YAML of that text."""

    def make(family, text):
        overrides = {"source": family_source(family), "max_length": 24}
        for key in ("reduction_rate", "lora_reduction_rate", "n_prompts"):
            if f"\n{key}:" in text:
                overrides[key] = 3 if key == "n_prompts" else 6
        if family in ("AST", "Whisper's encoder"):  # no such front end
            overrides |= {"shorter": None, "longer": None}
        if family == "AST":
            overrides["pooling"] = "mean"  # it has no mean_std
        return overrides

    return make


@pytest.fixture(scope="session")
def family_artefact(family_overrides, tmp_path_factory):
    """``family_artefact(family, yaml)``: what a wav2vec2 YAML would train."""
    import torch
    from hyperpyyaml import load_hyperpyyaml, resolve_references
    from speechbrain_petl.artefacts.write import write_artefact

    from speechbrain.dataio.encoder import CategoricalEncoder

    recipe = Path(__file__).parents[1] / "recipes/ESC50/hparams/wav2vec2"
    root = tmp_path_factory.mktemp("artefacts")

    def make(family, yaml, **more):
        folder = root / f"{family} {yaml} {sorted(more)}"
        if folder.exists():
            return folder
        text = (recipe / f"{yaml}.yaml").read_text()
        overrides = {
            "data_folder": "nowhere",
            "output_folder": str(root / "run"),
            **family_overrides(family, text),
            **more,
        }
        hparams = load_hyperpyyaml(text, overrides)
        labels = CategoricalEncoder()
        labels.update_from_iterable("abc")
        generator = torch.Generator().manual_seed(2)
        with torch.no_grad():
            for tensor in hparams["encoder"].delta().values():
                tensor += torch.randn(tensor.shape, generator=generator) * 0.1
        head = hparams["classifier"](hparams["encoder"].embedding_size, 3)
        write_artefact(
            folder,
            hparams["backbone"],
            hparams["compute_features"],
            hparams["encoder"],
            head,
            labels,
            resolve_references(text, overrides).getvalue(),
            {
                "method": yaml,
                "trainable": hparams["encoder"].count_parameters(),
                "training": {"corpus": "ESC-50", "hyperparameters": {}},
                "metrics": {"accuracy": 0.5},
            },
        )
        return folder

    return make


@pytest.fixture(scope="session")
def corpora(tmp_path_factory):
    """A small corpus for each recipe folder."""
    from speechbrain_petl.demo.corpora import write_small
    from speechbrain_petl.experiments.planning.recipes import read_recipe
    from speechbrain_petl.utils.recipes import corpora_in, find_recipes

    recipes, folder = find_recipes(), tmp_path_factory.mktemp("corpora")
    return {
        name: write_small(read_recipe(recipes / name).miniature, folder / name)
        for name in corpora_in(recipes)
    }


@pytest.fixture
def arguments(corpora, tiny_folder):
    """``arguments(recipe, output, *more)``: overrides of a small run."""

    def make(recipe, output, *more):
        options = {
            "data_folder": corpora[recipe],
            "source": tiny_folder,
            "output_folder": output,
            "max_length": 48,
            "batch_size": 4,
            "num_workers": 0,
        }
        flat = [str(x) for k, v in options.items() for x in (f"--{k}", v)]
        return [*flat, "--device", "cpu", "--noprogressbar", *more]

    return make


@pytest.fixture
def train(monkeypatch):
    """``train(yaml, arguments)``: runs train.py in this process."""

    from speechbrain_petl.training.run_folder import release

    from speechbrain.utils import logger

    def run(yaml, args, name="train.py"):
        parents = Path(yaml).parents
        recipe = next(p for p in parents if (p / "train.py").is_file())
        script = str(recipe / name)
        monkeypatch.setattr(sys, "argv", [script, str(yaml), *args])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        # SpeechBrain puts its logger's level there, for all that comes after.
        monkeypatch.setenv("SB_LOG_LEVEL", "INFO")
        # Which packages there are: pip takes a second to tell, at each run.
        monkeypatch.setattr(logger, "get_environment_description", str)
        monkeypatch.syspath_prepend(str(recipe))
        for handler in list(logging.getLogger().handlers):
            if getattr(handler, "baseFilename", "").endswith("log.txt"):
                logging.getLogger().removeHandler(handler)  # another run's
        try:
            runpy.run_path(script, run_name="__main__")
        finally:
            release()  # as the end of a process does

    return run
