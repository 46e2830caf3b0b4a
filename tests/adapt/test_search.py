"""The search: who trains, and when it is over; nothing is trained here."""

from types import SimpleNamespace

import pytest
from speechbrain_petl.adapt.candidates import Candidate
from speechbrain_petl.adapt.rounds import Pace
from speechbrain_petl.adapt.search import Search


class Kept(dict):
    """A record in memory."""

    keep = dict.__setitem__

    def __missing__(self, key):
        return None


class Dry(Search):
    """A search whose epochs take a second, whatever was planned."""

    def __init__(self, seconds, pace):
        request = SimpleNamespace(vote=1)
        record = Kept(data="")
        super().__init__(request, None, None, record, pace, 0, str, None)
        self.seconds, self.trained = seconds, []

    def left(self):
        return self.seconds

    def _train(self, candidate, epochs, number):
        self.trained.append((candidate.name, epochs, number))
        self.seconds -= epochs
        runs = dict(self.record["runs"] or {})
        score = 1 / len(self.trained)
        runs[f"{candidate.name}-epochs_{epochs}"] = {
            "round": number + 1,
            "outcome": "finished",
            "score": score,
            "loss": 0.0,
        }
        self.record.keep("runs", runs)


SOME = [Candidate(name, name, {}, 3.0, 0) for name in "abc"]


def test_time_that_is_left_is_for_those_who_had_no_place():
    """An epoch was thought to take 7 s: one has a place, then another."""
    search = Dry(34, Pace(start=0, train=2, valid=1))
    search(SOME)
    assert search.trained == [("a", 3, 0), ("b", 3, 1), ("c", 3, 2)]


def test_it_is_decided_once():
    """A search that goes on asks nobody again who trains."""
    first = Dry(34, Pace(start=0, train=2, valid=1))
    first(SOME)
    again = Dry(0, first.pace)
    again.record = first.record
    again(SOME)
    assert again.trained == first.trained


@pytest.mark.parametrize("seconds", [5, 1000])
def test_it_ends(seconds):
    search = Dry(seconds, Pace(start=0, train=2, valid=1))
    search(SOME)
    names = {name for name, _, _ in search.trained}
    assert names == (set() if seconds == 5 else set("abc"))
