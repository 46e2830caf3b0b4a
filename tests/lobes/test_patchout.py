"""Patchout leaves patches out in training only, with their positions."""

import pytest
import torch
from speechbrain_petl.lobes.ast import AST, count_patches
from speechbrain_petl.lobes.patchout import Patchout, draw, leaves_out, left
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.prompts import Prompts
from speechbrain_petl.lobes.split_encoder import SplitEncoder

FRAMES, COLUMNS = 80, 5


@pytest.fixture
def ast(tiny_folder):
    """A small AST with a grid of 8 x 5 patches."""
    return AST(tiny_folder, max_length=FRAMES)


@pytest.fixture
def feats():
    return torch.rand(3, FRAMES, 128)


def tokens(model):
    """The module at the site ``tokens``."""
    return model.model.model.embeddings


def drawn(ast, feats, **shares):
    """Which patches of each clip were left, found by their values."""
    whole = ast.model.embeddings(feats)
    patchout = Patchout(ast.model.embeddings, **shares).train()
    few = patchout(feats)
    assert torch.equal(few[:, :2], whole[:, :2])  # the special tokens
    found = []
    for all_patches, some in zip(whole[:, 2:], few[:, 2:], strict=True):
        equal = (some[:, None] == all_patches[None]).all(-1)
        assert (equal.sum(1) == 1).all()
        found.append(equal.int().argmax(1).tolist())
    assert found == [sorted(one) for one in found]
    assert patchout.count_left() == len(found[0])
    return found


def test_any_patches_of_each_clip_with_their_positions(ast, feats):
    found = drawn(ast, feats, share=0.25)
    assert [len(one) for one in found] == [30, 30, 30]
    assert found[0] != found[1]


def test_whole_columns_and_rows(ast, feats):
    for one in drawn(ast, feats, time=0.4, frequency=0.25):
        rows = {i // COLUMNS for i in one}
        columns = {i % COLUMNS for i in one}
        assert (len(rows), len(columns), len(one)) == (6, 3, 18)


def test_both_kinds_together(ast, feats):
    for one in drawn(ast, feats, share=0.5, time=0.4):
        assert len(one) == 12
        assert len({i % COLUMNS for i in one}) <= 3


def test_each_patch_is_left_out_as_often():
    torch.manual_seed(0)
    times = draw(4000, 8, left(8, 0.25)).flatten().bincount()
    assert (times - 3000).abs().max() < 150


def test_evaluation_and_the_generator_are_as_without(ast, feats):
    model = PETLModel(ast, patchout={"share": 0.5}).eval()
    torch.manual_seed(0)
    state = torch.get_rng_state()
    assert torch.equal(model(feats), ast(feats))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_seed_decides(ast, feats):
    model = PETLModel(ast, patchout={"share": 0.5}).train()
    torch.manual_seed(1)
    first, second = model(feats), model(feats)
    torch.manual_seed(1)
    assert torch.equal(model(feats), first)
    assert torch.equal(model(feats), second)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_prompts_stay_and_train(ast, feats, checkpointing):
    model = PETLModel(
        ast,
        {"tokens": lambda target: Prompts(target, 4)},
        gradient_checkpointing=checkpointing,
        patchout={"share": 0.5, "time": 0.0, "frequency": 0.0},
    ).train()
    assert model.delta().keys() == {"tokens.prompts"}
    assert tokens(model)(feats).shape[1] == 2 + 4 + 20
    model(feats).sum().backward()
    assert model.delta()["tokens.prompts"].grad.abs().sum() > 0


@pytest.mark.parametrize("pooling", ["patches", "prompts", "not_special"])
def test_pooling_finds_what_is_left(tiny_folder, feats, pooling):
    ast = AST(tiny_folder, max_length=FRAMES, pooling=pooling)
    prompts = {"tokens": lambda target: Prompts(target, 4)}
    model = PETLModel(ast, prompts, patchout={"frequency": 0.5}).train()
    torch.manual_seed(0)
    embeddings = model(feats)
    torch.manual_seed(0)
    states = model.model.tokens(feats)
    parts = {
        "patches": states[:, 6:],
        "prompts": states[:, 2:6],
        "not_special": states[:, 2:],
    }
    assert states.shape[1] == 6 + count_patches(ast.config) // 2
    assert torch.equal(embeddings, parts[pooling].mean(1))


def test_none_is_none(ast):
    model = PETLModel(ast, patchout=dict.fromkeys(("share", "time"), 0.0))
    assert not model.placed and not leaves_out(model)


def test_it_is_gone_when_merged(ast, feats):
    model = PETLModel(ast, patchout={"share": 0.5}).train()
    assert torch.equal(model.merge()(feats), ast(feats))


def test_training_clips_are_not_taken_for_the_same(ast):
    model = PETLModel(ast, unfrozen=["norm_final"], patchout={"time": 0.2})
    assert leaves_out(SplitEncoder(model))


@pytest.mark.parametrize("share", [-0.1, 1, 1.5])
def test_shares(ast, share):
    with pytest.raises(ValueError, match="Patchout's time is .*less than 1"):
        PETLModel(ast, patchout={"time": share})


def test_other_backbones_have_no_grid():
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    config = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    with pytest.raises(ValueError, match="grid of patches is AST's"):
        PETLModel(Wav2Vec2Model(config), patchout={"share": 0.5})
