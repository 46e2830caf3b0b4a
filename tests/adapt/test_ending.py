"""The time that was given is kept, the test and the report included."""

import json

import pytest
from speechbrain_petl.adapt import (
    candidates,
    embeddings,
    ending,
    final,
    record,
    session,
)
from speechbrain_petl.adapt.reporting import page
from speechbrain_petl.adapt.session import train_folder

IMPORTS = 12.0  # seconds before anything is asked


class Clock:
    """A clock that goes on where something is said to take time.

    Each look at it takes a little, too.
    """

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        """Returns the seconds of this clock."""
        self.now += 0.001
        return self.now

    def after(self, function, seconds):
        """Returns a function that takes time."""

        def slow(*args, **options):
            found = function(*args, **options)
            self.now += seconds
            return found

        return slow


@pytest.fixture
def machine(monkeypatch):
    """``machine(clip, model, picture)``: the clock of a machine."""

    def make(clip, model, picture):
        clock = Clock()
        for module in (record, session, embeddings, ending):
            monkeypatch.setattr(module, "time", clock)
        for module in (final, ending):
            slow = clock.after(module.open_model, model)
            monkeypatch.setattr(module, "open_model", slow)
        for module in (page, ending):
            slow = clock.after(module.media, picture)
            monkeypatch.setattr(module, "media", slow)
        load = embeddings.make_dataloader

        def batches(*args, **options):
            for batch in load(*args, **options):
                clock.now += clip * len(batch.id)
                yield batch

        monkeypatch.setattr(embeddings, "make_dataloader", batches)
        monkeypatch.setattr(session, "measure_start", lambda: 1.0)
        monkeypatch.setattr(candidates, "LEARNERS", ())
        return clock

    return make


@pytest.mark.parametrize(
    "clip, model, picture", [(0.01, 0.5, 0.05), (0.4, 6.0, 1.0)]
)
def test_the_minutes_are_kept(
    clip, model, picture, machine, request_for, tmp_path
):
    clock, said = machine(clip, model, picture), []
    began = clock.now - IMPORTS

    def run(job, timeout):
        """Takes all the time that it is given."""
        clock.now += timeout
        return "failed", timeout

    train_folder(request_for(method="auto", minutes=3), said.append, run, began)
    assert clock.now - began <= 180
    assert not any("exceeded" in line for line in said)
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["phases"]["search"] > 50, "most of it goes to the search"
    assert report["phases"]["sounds"] >= IMPORTS


def test_what_did_not_fit_is_told(machine, request_for):
    clock, said = machine(0.4, 6.0, 1.0), []
    train_folder(
        request_for(minutes=0.25), said.append, began=clock.now - IMPORTS
    )
    assert said[-1].startswith("--minutes 0.25 was exceeded by ")
    assert "the least work took" in said[-1] and "sounds 12 s" in said[-1]
