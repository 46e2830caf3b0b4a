"""Small folders of sounds, and trainings on them in this process."""

from pathlib import Path

import pytest
from speechbrain_petl.adapt import rounds, session
from speechbrain_petl.adapt.request import Request
from speechbrain_petl.demo.sound_events import write_audio_folder
from speechbrain_petl.experiments.running.state import FINISHED, write_json


@pytest.fixture(scope="session")
def sounds_folder(tmp_path_factory):
    """Four classes of eight clips of at most half a second."""
    folder = tmp_path_factory.mktemp("own") / "sounds"
    return write_audio_folder(folder, 8, classes=4, seconds=0.5)


@pytest.fixture
def request_for(sounds_folder, tiny_folder, tmp_path):
    """``request_for(**options)``: a training in a folder of the test."""

    def make(**options):
        return Request(
            **{
                "data_folder": str(sounds_folder),
                "output": str(tmp_path / "out"),
                "source": tiny_folder,
                "method": "linear",
                "near_duplicates": False,
                "minutes": 5.0,
                **options,
            }
        )

    return make


@pytest.fixture
def in_process(train, monkeypatch):
    """A runner of jobs that trains in this process; keeps their commands."""
    monkeypatch.setattr(session, "measure_start", lambda: 1.0)
    monkeypatch.setattr(rounds, "LEAST", 1)
    monkeypatch.setattr(rounds, "MOST", 1)
    commands = []

    def run(job, timeout):
        """Trains as ``run_job`` does, without another process."""
        folder = Path(job.folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "cell.json", {"hash": job.hash})
        monkeypatch.chdir(job.recipe)
        yaml = Path(job.recipe) / job.command[2]
        commands.append(job.command)
        train(yaml, job.command[3:])
        return FINISHED, 1.0

    run.commands = commands
    return run
