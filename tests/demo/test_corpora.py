"""What holds of every miniature corpus, and of the miniature AST."""

import hashlib
from pathlib import Path

import pytest
import torch
from speechbrain_petl.demo import corpora
from speechbrain_petl.demo.folders import MARKER, whole_folder

from tests.demo.miniatures import TINY, table, write

MODEL = Path(corpora.__file__).parent / "ast-mini"


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("name", TINY)
def test_deterministic_by_seed(name, tmp_path):
    first = digests(write(name, tmp_path / "a", seed=1))
    assert first == digests(write(name, tmp_path / "b", seed=1))
    assert first != digests(write(name, tmp_path / "c", seed=2))


def test_only_own_folders_are_replaced(tmp_path):
    folder = write("esc50", tmp_path / "corpus")
    write("esc50", folder, classes=1)
    assert len(table(folder / "meta" / "esc50.csv")) == 5
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    write("esc50", foreign)  # empty: nothing is lost
    (foreign / MARKER).unlink()
    before = digests(foreign)
    with pytest.raises(FileExistsError, match="left alone"):
        write("esc50", foreign)
    assert digests(foreign) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["corpus", "foreign"]


def test_nothing_is_left_of_a_failed_writing(tmp_path):
    with pytest.raises(RuntimeError, match="half way"):
        with whole_folder(tmp_path / "corpus") as new:
            (new / "clip.wav").touch()
            raise RuntimeError("half way")
    assert list(tmp_path.iterdir()) == []


def test_every_miniature_is_tried_here():
    assert set(TINY) == set(corpora.MINIATURES)


def test_a_miniature_that_does_not_exist(tmp_path):
    with pytest.raises(ValueError, match="'esc-50'; did you mean esc50"):
        corpora.write_small("esc-50", tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()


def test_command_line(tmp_path, capsys):
    folder = tmp_path / "corpus"
    options = "--classes 1 --folds 2 --clips_per_class_and_fold 1 --seconds .1"
    corpora.main(["esc50", str(folder), *options.split()])
    assert capsys.readouterr().out.strip() == str(folder)
    assert len(table(folder / "meta" / "esc50.csv")) == 2


def test_packaged_model():
    transformers = pytest.importorskip("transformers")
    assert (MODEL / "model.safetensors").stat().st_size < 1_000_000
    model = transformers.ASTModel.from_pretrained(
        MODEL, dtype=torch.float32, local_files_only=True
    )
    assert all(torch.isfinite(p).all() for p in model.parameters())
    frames = model.config.max_length
    with torch.no_grad():
        tokens = model(torch.randn(2, frames, 128)).last_hidden_state
    assert tokens.shape == (2, 2 + 8 * frames // 16, model.config.hidden_size)
    assert torch.isfinite(tokens).all()
