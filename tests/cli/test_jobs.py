"""Parts of many files as jobs, which any number of machines may run."""

import json

import pytest
import soundfile
from speechbrain_petl.cli.jobs import LOST, Part, parts_of
from speechbrain_petl.cli.main import main
from speechbrain_petl.cli.options import make_parser


@pytest.fixture
def command(make_artefact, tiny_folder, tmp_path):
    """A command that classifies five files."""
    make_artefact(tmp_path / "artefact", "linear")
    for number in range(5):
        path = tmp_path / "sounds" / f"{number}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, [0.01 * number] * 4000, 16000)
    line = ["predict", str(tmp_path / "artefact"), str(tmp_path / "sounds")]
    line += ["--backbone", tiny_folder, "--launcher", "submitit"]
    line += ["--cluster", "local", "--jobs", "2"]
    return [*line, "--output", str(tmp_path / "found.jsonl")]


def files_in(folder):
    """Names of the files of all answers in a folder."""
    return [
        json.loads(line)["file"].rpartition("/")[2]
        for path in sorted(folder.glob("found-*.jsonl"))
        for line in path.read_text().splitlines()
    ]


def test_parts_are_all_files_and_go_on(command, tmp_path):
    parts = parts_of(make_parser().parse_args(command))
    assert [part() for part in parts] == [0, 0]
    everything = sorted(files_in(tmp_path))
    assert everything == [f"{number}.wav" for number in range(5)]
    first = tmp_path / "found-1-of-2.jsonl"
    whole = first.read_text()
    first.write_text(whole[:-9])  # killed
    again = parts[0].checkpoint().function
    assert isinstance(again, Part) and again() == 0
    assert first.read_text() == whole


@pytest.mark.parametrize(
    "options, said",
    [
        (["--shard", "1/2"], "leave --shard out"),
        (["--files-from", "-"], "write the list to a file"),
        (["--output", ""], "needs --output FILE"),
    ],
)
def test_what_cannot_be_divided(command, options, said, capsys):
    assert main([*command, *options]) == 2
    assert said in capsys.readouterr().err


def test_a_part_that_is_lost_is_told(command, tmp_path, monkeypatch, capsys):
    from speechbrain_petl.cli import jobs

    class Lossy:
        """Runs the first part and loses the second."""

        def __init__(self, folder, cluster, **parameters):
            assert folder == tmp_path / "found-jobs" and cluster == "local"
            assert parameters == {"mem_gb": 4}

        def send(self, part, lost):
            """Answers at once."""
            from concurrent.futures import Future

            future = Future()
            first = part.options.shard[0] == 1
            future.set_result(part() if first else lost(OSError("node 7")))
            return future

    monkeypatch.setattr(jobs, "Submitit", Lossy)
    assert main([*command, "--slurm", "mem_gb=4"]) == LOST
    out = capsys.readouterr().out
    assert "A part was lost: node 7" in out
    assert "found-1-of-2.jsonl\tdone" in out
    assert "found-2-of-2.jsonl\tnot done" in out


@pytest.mark.slow
def test_by_submitit(command, tmp_path):
    pytest.importorskip("submitit")
    assert main(command) == 0
    assert sorted(files_in(tmp_path)) == [f"{n}.wav" for n in range(5)]
    assert list((tmp_path / "found-jobs").glob("*_result.pkl"))
