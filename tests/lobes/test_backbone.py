"""What every backbone and every front end answers, and what is exported."""

import json
import subprocess
import sys

import pytest
import speechbrain_petl.lobes as lobes
import torch
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.lobes.features import ASTFbank
from speechbrain_petl.lobes.front_end import FrontEnd

# A row for each family: makes the backbone, and a front end for it.
PAIRS = {"ast": (AST, ASTFbank)}


@pytest.fixture(params=PAIRS.values(), ids=PAIRS)
def pair(request, tiny_folder):
    """A backbone, and a front end of its clip length."""
    backbone = request.param[0](tiny_folder)
    return backbone, request.param[1](backbone.max_length)


def test_shapes(pair):
    backbone, front_end = pair
    assert isinstance(backbone, Backbone) and isinstance(front_end, FrontEnd)
    wavs = torch.randn(2, front_end.clip_samples)
    lens = torch.tensor([1.0, 0.5])
    inputs = front_end(wavs, lens)
    assert inputs.shape == (2, *backbone.input_shape)
    assert front_end.max_length == backbone.max_length
    tokens = backbone.tokens(inputs, lens)
    assert tokens.shape[::2] == (2, backbone.config.hidden_size)
    assert tokens.shape[1] > backbone.n_special
    assert backbone(inputs, lens).shape == (2, backbone.embedding_size)


def test_a_longer_clip_is_cut(pair):
    _, front_end = pair
    wavs = torch.randn(1, front_end.clip_samples + front_end.hop_samples)
    cut = front_end(wavs[:, : front_end.clip_samples])
    assert torch.equal(front_end(wavs), cut)


def test_records_are_plain(pair):
    for part in pair:
        record = part.record()
        assert record["max_length"] == part.max_length
        assert json.loads(json.dumps(record)) == record
    assert pair[0].record()["hidden_size"] == pair[0].config.hidden_size
    assert pair[1].record()["sample_rate"] == pair[1].sample_rate


def test_identity_is_all_but_what_follows_the_clip_length(pair):
    backbone, _ = pair
    fields, tensors = backbone.identity()
    json.dumps(fields)
    left_out = {id(t) for t in backbone.parameters()} - {
        id(t) for t in tensors.values()
    }
    assert len(left_out) == len(backbone.FITTED_TENSORS)
    other = backbone.refit(max_length=backbone.max_length // 2).identity()
    assert other.fields == fields and other.tensors.keys() == tensors.keys()
    for name, tensor in other.tensors.items():
        assert tensor.data_ptr() == tensors[name].data_ptr(), name


def test_refit_leaves_the_backbone_as_it_is(pair):
    backbone, _ = pair
    before = {n: t.clone() for n, t in backbone.state_dict().items()}
    length = backbone.max_length
    short = backbone.refit(max_length=length // 2)
    assert (short.max_length, backbone.max_length) == (length // 2, length)
    assert not any(p.requires_grad for p in short.parameters())
    assert not short.training
    for name, tensor in backbone.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    again = backbone.refit(max_length=length)
    x = torch.randn(1, *backbone.input_shape)
    assert torch.equal(again(x), backbone(x))


NAMES = """AST ASTFbank AddShared Backbone Bottleneck Conformer Convpass
DeepPrompts DenseMoA EmbeddingHead FrontEnd InputPrompt LAdapters Ladder
Learner LoRA NormedLinear PEFTLayer PETLModel Parallel ParallelOnInput
ParallelShared PassingPrompts Prefix PrefixRows Prompts RepAdapter ScaleShift
Sequential SoftMoA SplitEncoder Tap Wav2Vec2 Waveforms WeightedSum Whisper
WhisperFbank Wrapper front_end_of load_backbone""".split()


def test_public_names():
    assert lobes.__all__ == dir(lobes) == NAMES
    for name in NAMES:
        assert getattr(lobes, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        lobes.Nothing  # noqa: B018


def test_a_name_costs_no_more_than_its_module():
    code = (
        "import sys; from speechbrain_petl.lobes import ASTFbank, heads; "
        "print('transformers' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert run.stdout.strip() == "False", run.stderr
