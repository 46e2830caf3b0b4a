"""The closed list of classes that an artefact may name."""

import ast
import dataclasses
import inspect
import runpy
from pathlib import Path

import pytest
import torch
from speechbrain_petl import inference, lobes
from speechbrain_petl.artefacts import kinds
from speechbrain_petl.artefacts.allowed import ALLOWED, ROWS
from speechbrain_petl.artefacts.blueprint import BUILD_ERRORS
from speechbrain_petl.artefacts.plans import LOCATED, ROLES, Located, Made, Plan
from torch import nn

TOOL = Path(__file__).parents[2] / "tools" / "fuzz_artefacts.py"
# What stored artefacts name: these addresses never change.
ADDRESSES = """
speechbrain_petl.lobes.ast.AST
speechbrain_petl.lobes.features.ASTFbank
speechbrain_petl.lobes.petl.PETLModel
speechbrain_petl.lobes.insertion.Parallel
speechbrain_petl.lobes.insertion.Sequential
speechbrain_petl.lobes.ipet.ParallelOnInput
speechbrain_petl.lobes.ipet.Tap
speechbrain_petl.lobes.legacy.ParallelShared
speechbrain_petl.lobes.legacy.AddShared
speechbrain_petl.lobes.lora.LoRA
speechbrain_petl.lobes.rep_adapter.RepAdapter
speechbrain_petl.lobes.scale_shift.ScaleShift
speechbrain_petl.lobes.prompts.Prompts
speechbrain_petl.lobes.prompts.DeepPrompts
speechbrain_petl.lobes.prompts.PassingPrompts
speechbrain_petl.lobes.prompts.InputPrompt
speechbrain_petl.lobes.prefix.PrefixRows
speechbrain_petl.lobes.prefix.Prefix
speechbrain_petl.lobes.peft.PEFTLayer
speechbrain.nnet.adapters.LoRA
speechbrain_petl.lobes.adapters.Bottleneck
speechbrain_petl.lobes.adapters.Convpass
speechbrain_petl.lobes.conformer.Conformer
speechbrain_petl.lobes.moa.DenseMoA
speechbrain_petl.lobes.moa.SoftMoA
torch.nn.Linear
speechbrain_petl.lobes.heads.NormedLinear
torch.nn.ELU
torch.nn.GELU
torch.nn.Hardswish
torch.nn.Identity
torch.nn.LeakyReLU
torch.nn.Mish
torch.nn.ReLU
torch.nn.SELU
torch.nn.SiLU
torch.nn.Sigmoid
torch.nn.Softplus
torch.nn.Tanh
speechbrain.nnet.activations.Swish
peft.LoraConfig
peft.VeraConfig
peft.IA3Config
speechbrain_petl.lobes.wav2vec2.Wav2Vec2
speechbrain_petl.lobes.whisper.Whisper
speechbrain_petl.lobes.waveforms.Waveforms
speechbrain_petl.lobes.whisper_fbank.WhisperFbank
speechbrain_petl.lobes.learners.WeightedSum
speechbrain_petl.lobes.learners.LAdapters
speechbrain_petl.lobes.ladder.Ladder
speechbrain_petl.lobes.heads.EmbeddingHead
""".split()
# Public names of lobes that no artefact names, and why.
NOT_NAMED = {
    "Backbone": "abstract",
    "FrontEnd": "abstract",
    "Wrapper": "abstract",
    "Learner": "abstract",
    "load_backbone": "a function; an artefact names the class that it chose",
    "front_end_of": "a function; an artefact names the class that it chose",
    "SplitEncoder": "made by a recipe, around what an artefact stores",
}
# Says how a backbone computes, not what: artefacts leave it out.
HOW = {"attn_implementation"}
# The only places where an artefact gives a text of its own choice.
FREE_TEXTS = {
    ("AST", "revision"),
    ("Wav2Vec2", "revision"),
    ("Whisper", "revision"),
    ("PETLModel", "insertions"),
    ("PETLModel", "unfrozen"),
}


def test_stable_addresses():
    assert set(ADDRESSES) <= set(ALLOWED)
    names = {"AdapterBank", "ArtefactLoader", "PETLClassifier", "Unchanged"}
    names |= {"locate", "Embedder", "PETLSpeaker"}
    assert names <= set(inference.__all__)
    assert all(hasattr(inference, name) for name in inference.__all__)


def test_every_public_lobe_has_a_row_or_a_reason():
    """A new class goes into artefacts/allowed.py, and ADDRESSES above."""
    listed = {row.address.rpartition(".")[2] for row in ROWS}
    assert set(lobes.__all__) - listed == set(NOT_NAMED)
    assert set(ALLOWED) == set(ADDRESSES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.address)
def test_a_row_is_what_the_constructor_takes(row):
    """Its arguments are the constructor's, in order; no other callable."""
    if row.address.startswith("peft."):
        pytest.importorskip("peft")
    cls = row.load()
    assert inspect.isclass(cls)
    given = list(row.arguments.optional)
    names = [p for p in inspect.signature(cls).parameters if p in given]
    assert names == given and not row.arguments.others
    if row.role == "configuration of peft":
        return  # all else of theirs stays as it is by default
    first = {"wrapper": 1, "adapter": 1, "mixture": 1, "learner": 3}.get(
        row.role, 0
    )
    parameters = list(inspect.signature(cls).parameters)[first:]
    left_out = set(parameters) - set(given) - {"args", "kwargs"} - HOW
    assert not left_out or row.address.startswith(
        ("torch.", "speechbrain.nnet")
    )


def leaves(kind):
    """All kinds inside a kind, without what objects are made of."""
    yield kind
    if dataclasses.is_dataclass(kind):
        for field in dataclasses.fields(kind):
            value = getattr(kind, field.name)
            if isinstance(value, dict):
                for one in value.values():
                    yield from leaves(one)
            elif hasattr(value, "misfits"):
                yield from leaves(value)


PLAIN = (
    *(kinds.Number, kinds.Flag, kinds.Choice, kinds.Maybe, kinds.ListOf),
    *(kinds.OneOrMore, kinds.MapOf, kinds.Text, Located, Made),
)


def test_arguments_are_plain_or_listed():
    """No kind lets a name, a path or a callable of an artefact's choice in."""
    texts = set()
    for row in ROWS:
        assert row.role in ROLES
        for name, kind in row.arguments.optional.items():
            for leaf in leaves(kind):
                assert isinstance(leaf, PLAIN), (row.address, name)
                if isinstance(leaf, kinds.Text):
                    texts.add((row.address.rpartition(".")[2], name))
                if isinstance(leaf, Made):
                    assert set(leaf.roles) < set(ROLES), "not any class"
    assert texts == FREE_TEXTS


BUILTINS = {"eval", "exec", "compile", "open", "__import__", "globals"}
METHODS = {"import_module", "system", "Popen", "run", "load", "loads"}
METHODS |= {"from_pretrained", "get_class", "find_class", "run_path"}


def test_no_listed_lobe_calls_what_runs_code():
    """But the backbone, which loads weights from where the user says."""
    for row in ROWS:
        if not row.address.startswith("speechbrain_petl."):
            continue
        source = inspect.getsource(inspect.getmodule(row.load()))
        nodes = list(ast.walk(ast.parse(source)))
        found = {getattr(node, "id", "") for node in nodes} & BUILTINS
        found |= {getattr(node, "attr", "") for node in nodes} & METHODS
        if row.role == "backbone":
            found -= {"from_pretrained"}
        assert not found, row.address


NARROW = {"reduction_rate": 4}
# What a row's other arguments are while one is at its extremes
BASE = {
    "adapter": Plan(
        ALLOWED["speechbrain_petl.lobes.adapters.Convpass"], NARROW
    ),
    "expert": Plan(
        ALLOWED["speechbrain_petl.lobes.adapters.Bottleneck"], NARROW
    ),
    "reduction_rate": 4,
    "n_prompts": 2,
    "num_tokens": 2,
    "max_length": 64,
    "frames": 64,
    "border": 2,
    "in_features": 4,
    "out_features": 4,
    "width": 4,
    "classes": 4,
}


def extremes(kind):
    """Values of a kind that try most to be something else."""
    if isinstance(kind, kinds.Number):
        low = kind.low if kind.whole else max(kind.low, -1e3)
        return [low, min(kind.high, 8)]
    if isinstance(kind, kinds.Flag):
        return [True, False]
    if isinstance(kind, kinds.Choice):
        return list(kind.values)
    if isinstance(kind, (kinds.Maybe, kinds.OneOrMore)):
        return extremes(kind.kind)
    if isinstance(kind, kinds.ListOf):
        return [[one] for one in extremes(kind.kind)]
    if isinstance(kind, kinds.Text):
        return ["os.system", "__import__('os')", "*", "../../etc/passwd"]
    if isinstance(kind, Made):
        return [Plan(row, {}) for row in ROWS if row.role in kind.roles]
    return []


def base(row, name):
    """The arguments that a row needs beside one."""
    either = {"rank": "reduction_rate"}.get(name, name)
    return {
        other: value
        for other, value in BASE.items()
        if other in row.arguments.optional and other not in (name, either)
    }


def make(value):
    """The object of a plan, as the blueprint makes it."""
    if not isinstance(value, Plan):
        return value
    arguments = {name: make(one) for name, one in value.arguments.items()}
    return lambda *args, **more: value.row.load()(*args, **arguments, **more)


@pytest.mark.fault("artefact: a listed class used for something else")
def test_gadget_hunt(record):
    """No listed class does more than compute, whatever it is told."""
    pytest.importorskip("peft")
    watch = runpy.run_path(str(TOOL))["Watch"]()
    first = {
        "wrapper": [nn.Linear(16, 16)],
        "adapter": [16],
        "mixture": [16],
        "learner": [3, 16, 16],
    }
    tried = [
        (row, {**base(row, name), name: value})
        for row in ROWS
        if row.role not in ("backbone", "encoder", "configuration of peft")
        for name, kind in row.arguments.optional.items()
        for value in extremes(kind)
        if value is not LOCATED
    ]
    peft = [
        Plan(row, {name: value})
        for row in ROWS
        if row.role == "configuration of peft"
        for name, kind in row.arguments.optional.items()
        for value in extremes(kind)
    ]
    tried += [
        (ALLOWED["speechbrain_petl.lobes.peft.PEFTLayer"], {"config": plan})
        for plan in peft
    ]
    made = set()
    for again in range(2):  # what is imported lazily has been, at first
        for row, arguments in tried:
            given = first.get(row.role, [])
            with torch.device("meta"), watch if again else torch.no_grad():
                try:
                    make(Plan(row, arguments))(*given)
                    made.add(row.address)
                except (*BUILD_ERRORS, ValueError):
                    pass
    left = {row.address for row, _ in tried} - made
    assert left == set(), "each of them is made"
    assert not watch.seen
