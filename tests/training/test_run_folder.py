"""An output folder is one run's."""

import json
import subprocess
import sys

import pytest
from speechbrain_petl.training.run_folder import RunFolder, release

IDENTITY = {"settings": {"lr": 0.1}}
DATA = {"train_manifest": {"clips": 3, "sha256": "0123"}}


@pytest.fixture
def where(tmp_path):
    """An output folder, which is let go of afterward."""
    yield tmp_path / "run"
    release()


def folder_at(where):
    """The run folder as a start makes it."""
    script = where.with_name("train.py")
    script.touch()
    return RunFolder(
        {
            "output_folder": where,
            "save_folder": where / "save",
            "manifest_folder": where / "manifest",
        },
        script,
    )


def begin(where):
    """A run that has left results."""
    folder = folder_at(where)
    folder.open(IDENTITY)
    (where / "hyperparams.yaml").write_text("old")
    folder.settle(DATA)
    (where / "results.json").write_text("{}")
    return folder


def test_other_data_leave_all_as_it_was(where):
    begin(where)
    record = (where / "run.json").read_text()
    again = folder_at(where)
    again.open(IDENTITY)
    (where / "hyperparams.yaml").write_text("new")
    with pytest.raises(ValueError, match="other data: train_manifest"):
        again.settle({"train_manifest": {"clips": 4, "sha256": "4567"}})
    assert (where / "hyperparams.yaml").read_text() == "old"
    assert (where / "run.json").read_text() == record
    assert not (where / ".before").exists()


def test_overwrite_removes_the_run_and_nothing_else(where):
    begin(where)
    (where / "notes.txt").write_text("mine")
    (where / "save" / "CKPT+1").mkdir(parents=True)
    other = {"settings": {"lr": 0.2}}
    again = folder_at(where)
    with pytest.raises(ValueError, match=r"lr is 0.1 there and 0.2 here"):
        again.open(other)
    assert (where / "results.json").exists()
    again.open(other, overwrite=True)
    assert not again.is_begun()
    assert (where / "notes.txt").read_text() == "mine"
    assert json.loads((where / "run.json").read_text())["settings"] == {
        "lr": 0.2
    }


def test_a_folder_is_of_one_process(where):
    where.mkdir()
    hold = (
        "import sys; from filelock import FileLock;"
        f"lock = FileLock({str(where / '.run.lock')!r}); lock.acquire();"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout.readline().strip() == b"held"
        with pytest.raises(ValueError, match="Another process is running"):
            folder_at(where).open(IDENTITY)
        other.stdin.close()
    folder_at(where).open(IDENTITY)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (None, "without a record of its settings"),
        ("[]", "no record of a run"),
        ('{"format": 99}', "has the format 99"),
        ('{"format": 1, "settings": null}', "was being removed"),
    ],
)
def test_a_run_of_which_nothing_is_known_is_refused(where, record, message):
    where.mkdir()
    (where / "train_log.txt").write_text("epoch: 1")
    if record is not None:
        (where / "run.json").write_text(record)
    with pytest.raises(ValueError, match=message):
        folder_at(where).open(IDENTITY)
    assert (where / "train_log.txt").exists()
