"""``speechbrain-petl``: each command, its exit codes and its messages."""

import json

import numpy as np
import pytest
import soundfile
from speechbrain_petl.cli.main import main
from speechbrain_petl.inference.classifier import PETLClassifier


@pytest.fixture(scope="module")
def folder(make_artefact, tmp_path_factory):
    """An artefact."""
    folder = tmp_path_factory.mktemp("cli") / "artefact"
    make_artefact(folder, labels=["dog", "cat", "rain"])
    return str(folder)


@pytest.fixture
def clips(tmp_path):
    """Good audio files, one that is cut off and one of text."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 12000)
    for name in ("a.wav", "b.flac", "c.ogg", "cut.wav"):
        soundfile.write(tmp_path / name, noise, 16000)
    whole = (tmp_path / "cut.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.wav").write_text("Not audio.\n")
    return {path.name: str(path) for path in sorted(tmp_path.iterdir())}


def test_predict(folder, clips, tiny_folder, capsys):
    good = [clips[name] for name in ("a.wav", "b.flac", "c.ogg")]
    command = ["predict", folder, *good, "--backbone", tiny_folder]
    assert main([*command, "--top", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[0] for line in lines] == good
    classifier = PETLClassifier.from_hparams(
        folder, overrides={"source": tiny_folder}
    )
    for line, path in zip(lines, good):
        posteriors = classifier.classify_file(path)[0][0].exp()
        label, score = line.split("\t")[1].split(" ")
        assert label == ["dog", "cat", "rain"][posteriors.argmax()]
        assert float(score) == pytest.approx(posteriors.max().item(), abs=1e-3)
        assert len(line.split("\t")) == 3


def test_bad_files_are_reported_and_the_rest_is_done(
    folder, clips, tiny_folder, capsys
):
    command = ["predict", folder, *clips.values(), "--backbone", tiny_folder]
    assert main([*command, "--json", "--top", "9"]) == 1
    out, err = capsys.readouterr()
    found = {one["file"]: one for one in map(json.loads, out.splitlines())}
    assert list(found) == list(clips.values())
    bad = {path for path, one in found.items() if "error" in one}
    assert bad == {clips["cut.wav"], clips["text.wav"]}
    assert "cut off" in found[clips["cut.wav"]]["error"]
    assert "cannot be read as audio" in found[clips["text.wav"]]["error"]
    assert clips["cut.wav"] in err and clips["text.wav"] in err
    assert "2 of 5 files failed." in err
    good = found[clips["a.wav"]]["predictions"]
    assert sum(one["probability"] for one in good) == pytest.approx(1, abs=1e-4)


def test_bank(folder, clips, tiny_folder, make_artefact, tmp_path, capsys):
    make_artefact(tmp_path / "words", "linear", labels=["yes", "no"])
    tasks = ["--task", f"events={folder}", "--task", f"words={tmp_path}/words"]
    command = ["bank", *tasks, clips["a.wav"], "--backbone", tiny_folder]
    assert main(command) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [line[1] for line in lines] == ["events", "words"]
    assert lines[1][2].split()[0] in ("yes", "no")
    assert main(["bank", "--task", "events", clips["a.wav"]]) == 2
    assert "--task is NAME=ARTEFACT" in capsys.readouterr().err


def test_inspect_needs_no_backbone(folder, capsys):
    assert main(["inspect", folder]) == 0
    text = capsys.readouterr().out
    assert "adapter_hou_par" in text and "3: dog, cat, rain" in text
    assert main(["inspect", folder, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["labels"] == [
        "dog",
        "cat",
        "rain",
    ]


def test_verify(folder, elsewhere, tiny_folder, capsys):
    assert main(["verify", folder, "--backbone", tiny_folder]) == 0
    assert "3 classes" in capsys.readouterr().out
    assert main(["verify", folder]) == 2
    message = capsys.readouterr().err
    assert message.startswith("speechbrain-petl: The backbone 'tiny_ast")
    assert message.count("\n") == 1


def test_export_and_merge(folder, tiny_folder, tmp_path, capsys):
    source = ["--backbone", tiny_folder]
    program = str(tmp_path / "model.pt2")
    assert main(["export", folder, program, *source]) == 0
    assert "equals the model within" in capsys.readouterr().out
    assert main(["export", folder, "model.txt", *source]) == 2
    assert ".onnx or .pt2" in capsys.readouterr().err
    assert main(["merge", folder, str(tmp_path / "merged"), *source]) == 2
    assert "cannot be merged" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["predict", "nowhere", "a.wav"], "'nowhere' is no folder"),
        (["inspect", "."], "There is no artefact"),
    ],
)
def test_what_is_not_there(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.wav").touch()  # what is missing is looked for first
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
