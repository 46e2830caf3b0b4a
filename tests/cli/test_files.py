"""Which files commands work on, and answers that are continued."""

import io
import json

import pytest
import soundfile
from speechbrain_petl.cli.files import Answers, check_files, named_files
from speechbrain_petl.cli.main import main
from speechbrain_petl.cli.options import make_parser


@pytest.fixture(scope="module")
def artefact(make_artefact, tmp_path_factory):
    """An artefact that knows what is unknown."""
    from speechbrain_petl.artefacts.restate import restate

    folder = tmp_path_factory.mktemp("kept") / "artefact"
    make_artefact(folder, "adapter_hou_par", "abc")
    restate(folder, folder, {"unknown": {"threshold": 0.999}})
    return str(folder)


@pytest.fixture
def sounds(tmp_path):
    """Six files in folders."""
    for number in range(6):
        path = tmp_path / "sounds" / str(number % 2) / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, [0.01 * number] * 8000, 16000)
    return tmp_path / "sounds"


def test_folders_and_lists(sounds, tmp_path, monkeypatch):
    (tmp_path / "list.txt").write_text("a.wav\n\nb c.wav\n")
    found = list(named_files([str(sounds)], str(tmp_path / "list.txt")))
    assert len(found) == 8 and found[-2:] == ["a.wav", "b c.wav"]
    assert found[0] == str(sounds / "0/0.wav")
    monkeypatch.setattr("sys.stdin", io.StringIO("x.wav\n"))
    assert list(named_files([], "-")) == ["x.wav"]
    with pytest.raises(ValueError, match="--files_from .* cannot be read"):
        list(named_files([], str(tmp_path / "none.txt")))


def test_shards_that_are_stopped_and_continued(
    sounds, artefact, tiny_folder, tmp_path, capsys
):
    output = tmp_path / "found.jsonl"
    command = ["predict", artefact, str(sounds), "--backbone", tiny_folder]
    command += ["--output", str(output)]
    for shard in ("1/2", "2/2"):
        assert main([*command, "--shard", shard]) == 0
    lines = [
        json.loads(line)
        for k in (1, 2)
        for line in (tmp_path / f"found-{k}-of-2.jsonl").open()
    ]
    files = [line["file"] for line in lines]
    assert sorted(files) == sorted(named_files([str(sounds)]))
    assert {line["unknown"] for line in lines} == {True}

    whole = (tmp_path / "found-1-of-2.jsonl").read_text()
    (tmp_path / "found-1-of-2.jsonl").write_text(whole[:-20])  # killed
    assert main([*command, "--shard", "1/2"]) == 0
    assert (tmp_path / "found-1-of-2.jsonl").read_text() == whole
    assert "2 files had their answers already" in capsys.readouterr().err


def test_what_is_no_class_is_unknown(sounds, artefact, tiny_folder, capsys):
    file = str(sounds / "0/0.wav")
    assert main(["predict", artefact, file, "--backbone", tiny_folder]) == 0
    assert capsys.readouterr().out.split("\t")[1] == "unknown"


def test_timelines(sounds, artefact, tiny_folder, tmp_path, capsys):
    command = ["predict", artefact, str(sounds / "0"), str(tmp_path / "x.wav")]
    command += ["--backbone", tiny_folder, "--timeline", str(tmp_path / "t")]
    assert main([*command, "--threshold", "0.0", "--hop", "0.1"]) == 1
    said = capsys.readouterr()
    assert "There is no file" in said.err and "1 of 4 files failed" in said.err
    assert len(said.out.splitlines()) >= 3
    endings = {"csv", "json", "audacity.txt", "raven.txt", "svg"}
    names = {path.name for path in (tmp_path / "t").iterdir()}
    assert names == {f"{k}.wav.{end}" for k in (0, 2, 4) for end in endings}


def test_options_before_files_and_a_list_alone():
    parse = make_parser().parse_args
    assert parse(["predict", "a", "--top", "5", "x", "y"]).files == ["x", "y"]
    found = parse(["predict", "a", "--files-from", "list.txt"])
    assert (found.files, found.files_from) == ([], "list.txt")
    with pytest.raises(SystemExit):
        make_parser().parse_args(["predict", "a"])
    with pytest.raises(SystemExit):
        make_parser().parse_args(["predict", "a", "x", "--shard", "9/8"])


def test_nothing_to_do(artefact, tiny_folder, tmp_path, capsys):
    (tmp_path / "none.txt").write_text("")
    command = ["predict", artefact, "--backbone", tiny_folder]
    assert main([*command, "--files-from", str(tmp_path / "none.txt")]) == 2
    assert "There is no file to classify" in capsys.readouterr().err


def test_a_file_of_something_else_is_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("dear diary\n")
    with pytest.raises(ValueError, match="line 1, is no answer"):
        Answers(str(path))
    assert path.read_text() == "dear diary\n"


def test_answers_in_another_order_are_known(tmp_path):
    path = str(tmp_path / "found.jsonl")
    with Answers(path) as answers:
        for name in "bbac":  # two tasks of b
            answers.write({"file": name})
    for names, left in {
        "bac": "",
        "abcd": "d",
        "bxacy": "xy",
        "bbaacc": "",
        "": "",
    }.items():
        with Answers(path) as answers:
            assert "".join(answers.to_do(names)) == left
            assert answers.skipped == len(names) - len(left)


def test_what_is_written_meanwhile_is_not_read(tmp_path):
    path = str(tmp_path / "found.jsonl")
    with Answers(path) as answers:
        for name in answers.to_do("ab"):
            answers.write({"file": name})
        assert answers.skipped == 0
    text = (tmp_path / "found.jsonl").read_text()
    (tmp_path / "found.jsonl").write_text(text + "x" * 100_000)
    with Answers(path) as answers:
        assert list(answers.to_do("abc")) == ["c"]
    assert (tmp_path / "found.jsonl").read_text() == text


def test_files_of_which_there_is_none_are_named(sounds, tmp_path):
    (tmp_path / "empty").mkdir()
    gone, empty = str(tmp_path / "soundz"), str(tmp_path / "empty")
    with pytest.raises(ValueError, match="There is no .*did you mean sounds.$"):
        check_files([gone])
    with pytest.raises(ValueError, match="The folder '.*empty' has no audio f"):
        check_files([empty])
    with pytest.raises(
        ValueError, match="The folder .*; there is no file or f"
    ):
        check_files([empty, gone])
    check_files([empty, gone, str(sounds)])
    check_files([str(sounds / "0/0.wav"), gone])
    check_files([gone], files_from="-")  # which may name others
