"""The AST lobe: loading, clip length, positions, pooling."""

import os
import shutil
import socket
import subprocess
import sys

import pytest
import torch
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.ast_positions import resize_time
from transformers import ASTForAudioClassification, ASTModel


def test_weights_are_the_checkpoints_in_float32(tiny_folder, tmp_path):
    stock = ASTModel.from_pretrained(tiny_folder)
    stock.half().save_pretrained(tmp_path / "half")
    ast = AST(tmp_path / "half")
    assert type(ast.model) is ASTModel
    for name, tensor in ast.model.state_dict().items():
        assert tensor.dtype == torch.float32, name
        assert torch.equal(tensor, stock.state_dict()[name].float()), name
    assert not ast.training
    assert not any(p.requires_grad for p in ast.parameters())


def test_a_classifiers_checkpoint_gives_its_backbone(tiny_folder, tmp_path):
    config = ASTModel.from_pretrained(tiny_folder).config
    whole = ASTForAudioClassification(config)
    whole.save_pretrained(tmp_path / "whole")
    ast = AST(tmp_path / "whole")
    for (
        name,
        tensor,
    ) in whole.audio_spectrogram_transformer.state_dict().items():
        assert torch.equal(tensor, ast.model.state_dict()[name]), name


def test_a_folder_needs_no_network(tiny_folder, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    AST(tiny_folder)


def test_a_hub_id_comes_from_the_users_cache_when_offline(
    tiny_folder, tmp_path
):
    """A snapshot in the hub's cache layout, at a branch and a commit."""
    repo = tmp_path / "models--org--tiny-ast"
    commit = "0123456789abcdef0123456789abcdef01234567"
    shutil.copytree(tiny_folder, repo / "snapshots" / commit)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(commit)
    code = (
        "import sys; from speechbrain_petl.lobes.ast import AST; "
        "from speechbrain_petl.artefacts.backbones import commit; "
        "asts = [AST('org/tiny-ast', revision=r) for r in (None, sys.argv[1])]; "
        "print(*map(commit, asts))"
    )
    environment = {
        **os.environ,
        "HF_HUB_CACHE": str(tmp_path),
        "HF_HUB_OFFLINE": "1",
    }
    run = subprocess.run(
        [sys.executable, "-c", code, commit],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split()[-2:] == [commit, commit]


@pytest.mark.parametrize("source", ["no/such-model", "/no/such/folder"])
def test_a_missing_source_is_one_clear_sentence(source):
    with pytest.raises(
        ValueError, match=f"No AST can be loaded from '{source}'"
    ):
        AST(source)


def test_a_folder_without_weights_is_refused(tiny_folder, tmp_path):
    shutil.copy(f"{tiny_folder}/config.json", tmp_path)
    with pytest.raises(ValueError, match="No AST can be loaded"):
        AST(tmp_path)


def test_a_checkpoint_that_lacks_tensors_is_refused(tiny_folder, tmp_path):
    model = ASTModel.from_pretrained(tiny_folder)
    state = model.state_dict()
    del state["layernorm.weight"]
    model.save_pretrained(tmp_path, state_dict=state)
    with pytest.raises(ValueError, match="not a whole AST.*layernorm.weight"):
        AST(tmp_path)


def grid(ast):
    """Position embeddings [d, frequency, time]."""
    n_freq, n_time = ast.model.embeddings.get_shape(ast.config)
    patches = ast.model.embeddings.position_embeddings[0, 2:]
    return patches.T.unflatten(1, (n_freq, n_time))


def test_positions_are_kept_at_the_checkpoints_length(tiny_folder):
    stock = ASTModel.from_pretrained(tiny_folder)
    ast = AST(tiny_folder, max_length=stock.config.max_length)
    assert torch.equal(
        ast.model.embeddings.position_embeddings,
        stock.embeddings.position_embeddings,
    )


def test_shorter_clips_take_the_middle_of_the_grid(tiny_folder, tiny_ast):
    full = grid(tiny_ast)
    short = AST(tiny_folder, max_length=56)
    cut = grid(short)
    first = full.shape[2] // 2 - cut.shape[2] // 2
    assert cut.shape[2] < full.shape[2]
    assert torch.equal(cut, full[:, :, first : first + cut.shape[2]])
    old = tiny_ast.model.embeddings.position_embeddings[0, :2]
    assert torch.equal(short.model.embeddings.position_embeddings[0, :2], old)


def test_longer_clips_interpolate_the_grid(tiny_folder, tiny_ast):
    full = grid(tiny_ast)
    ast = AST(tiny_folder, max_length=2 * tiny_ast.config.max_length)
    stretched = grid(ast)
    expected = torch.nn.functional.interpolate(
        full[None], size=stretched.shape[1:], mode="bilinear"
    )[0]
    assert stretched.shape[2] > full.shape[2]
    assert torch.equal(stretched, expected)


def test_interpolation_keeps_a_ramp():
    ramp = torch.arange(8.0).view(1, 1, 1, 8)
    stretched = resize_time(ramp, 16).flatten()
    assert (stretched.diff() >= 0).all()
    assert stretched[0] == 0 and stretched[-1] == 7


def test_zeros_by_name(tiny_folder):
    ast = AST(tiny_folder, max_length=56, position_embeddings="zeros")
    assert not ast.model.embeddings.position_embeddings.any()


@pytest.mark.parametrize("max_length", [16, 50, 100, 200, 1024])
def test_any_length_runs(tiny_folder, max_length):
    ast = AST(tiny_folder, max_length=max_length)
    feats = torch.randn(2, max_length, ast.config.num_mel_bins)
    assert ast(feats).shape == (2, ast.config.hidden_size)


def test_a_wrong_length_is_refused_with_both_numbers(tiny_ast):
    want = tiny_ast.config.max_length
    with pytest.raises(ValueError, match=f"70 frames.*reads {want} frames"):
        tiny_ast(torch.randn(1, 70, tiny_ast.config.num_mel_bins))


def test_a_length_below_one_patch_is_refused(tiny_folder):
    with pytest.raises(ValueError, match="max_length is 10 frames"):
        AST(tiny_folder, max_length=10)


@pytest.mark.parametrize(
    "pooling, pool",
    [
        ("mean", lambda t: t.mean(1)),
        ("cls", lambda t: t[:, 0]),
        ("cls_dist", lambda t: (t[:, 0] + t[:, 1]) / 2),
    ],
)
def test_pooling(tiny_folder, pooling, pool):
    ast = AST(tiny_folder, pooling=pooling)
    shape = (2, ast.config.max_length, ast.config.num_mel_bins)
    feats = torch.randn(shape)
    torch.testing.assert_close(ast(feats), pool(ast.tokens(feats)))


@pytest.mark.parametrize("option", ["pooling", "position_embeddings"])
def test_unknown_options_are_refused(tiny_folder, option):
    with pytest.raises(ValueError, match=f"{option} is one of"):
        AST(tiny_folder, **{option: "maxx"})
