"""The search: a linear probe, then successive halving, by validation alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from speechbrain_petl.adapt import rounds, runs
from speechbrain_petl.adapt.candidates import Candidate
from speechbrain_petl.adapt.recipe import Recipe
from speechbrain_petl.adapt.record import Record
from speechbrain_petl.adapt.request import Request
from speechbrain_petl.adapt.rounds import Pace
from speechbrain_petl.adapt.sounds import Sounds
from speechbrain_petl.experiments.running.job import why_failed
from speechbrain_petl.experiments.running.state import FINISHED

Say = Callable[[str], None]
RUNS = "runs"


class Search:
    """Trains candidates in rounds, and keeps what they found.

    Arguments
    ---------
    request, recipe, sounds
        What is asked, with what, and on what.
    record : Record
        Where all is kept.
    pace : Pace
        How long things take.
    reserve : float
        Seconds that are needed at the end.
    say : callable
        Tells a line of progress.
    runner : callable
        Runs a job, see ``runs.Runner``.
    """

    def __init__(
        self,
        request: Request,
        recipe: Recipe,
        sounds: Sounds,
        record: Record,
        pace: Pace,
        reserve: float,
        say: Say,
        runner: runs.Runner,
    ):
        self.request, self.recipe, self.sounds = request, recipe, sounds
        self.record, self.pace, self.reserve = record, pace, reserve
        self.say, self.runner = say, runner
        self.identity = str(record["data"])

    def left(self) -> float:
        """Returns the seconds that are left for training.

        Where runs took longer than they should, so will the end.
        """
        reserve = self.reserve * max(1.0, self.pace.slower)
        return 60 * self.request.minutes - reserve - self.record.spent()

    def __call__(self, candidates: list[Candidate]) -> None:
        """Trains in rounds, until the time or the candidates are over.

        Before them comes what trains on stored states. If time is left after
        the last round, those that had no place in the first have theirs.
        """
        stored = self._plan_stored(candidates)
        for one in stored:
            self._train(one, rounds.MOST, -1)
        waiting, done = [one for one in candidates if not one.stored], 0
        while waiting:
            tried, done = self._halve(waiting, done)
            waiting = [one for one in waiting if one not in tried]
            if not tried:
                break
        if candidates and not stored and not done:
            self.say(
                "No time is left to train adapters: the linear probe "
                "stays; give more --minutes."
            )

    def _halve(self, candidates, done):
        """Trains candidates in rounds of which each has fewer, for longer.

        Returns who was in the first, and how many rounds are done by now.
        """
        ranked, epochs, tried = candidates, 0, []
        for number in range(len(rounds.SHARES)):
            planned = self._plan(ranked, number, epochs, done)
            if not planned:
                break
            chosen, epochs = planned
            tried = tried or chosen
            for one in chosen:
                self._train(one, epochs, done)
            ranked = self._better(chosen, done)
            done += 1
            over = epochs == rounds.MOST or len(chosen) <= self.request.vote
            if over or not ranked:
                break
        return tried, done

    def _plan_stored(self, candidates):
        """Returns who trains on stored states; kept once decided."""
        kept = self.record["stored"]
        if kept is None:
            chosen = rounds.plan_stored(candidates, self.left(), self.pace)
            kept = [one.name for one in chosen]
            self.record.keep("stored", kept)
        by_name = {one.name: one for one in candidates}
        return [by_name[name] for name in kept]

    def _plan(self, ranked, number, before, done):
        """Returns who trains in a round and how long; kept once decided."""
        key = f"round_{done + 1}"
        kept = self.record[key]
        if kept is None:
            chosen, epochs = rounds.plan_round(
                ranked,
                self.left(),
                number,
                self.pace,
                self.request.vote,
                before,
            )
            kept = {"candidates": [c.name for c in chosen], "epochs": epochs}
            self.record.keep(key, kept)
        by_name = {one.name: one for one in ranked}
        chosen = [by_name[name] for name in kept["candidates"]]
        return (chosen, kept["epochs"]) if chosen else None

    def _train(self, candidate, epochs, number):
        """Trains a candidate, unless it is done, and keeps what came of it."""
        name = f"{candidate.name}-epochs_{epochs}"
        found: dict[str, Any] = dict(self.record[RUNS] or {})
        if name in found:
            return
        left = self.left()
        if left <= 0:
            return
        folder = self.request.folder / RUNS / name
        outcome, seconds = runs.train(
            candidate,
            epochs,
            folder,
            max(left, 1.0),
            self.request,
            self.recipe,
            self.sounds,
            self.identity,
            self.runner,
        )
        shared = runs.shared_options(self.request, self.sounds)
        found[name] = {
            "method": candidate.method,
            "overrides": {
                key: value
                for key, value in candidate.overrides.items()
                if key not in shared
            },
            "parameters": candidate.parameters,
            "round": number + 1,
            "epochs": epochs,
            "outcome": outcome,
            "seconds": round(seconds, 1),
        }
        if outcome == FINISHED:
            task = self.sounds.task
            result = runs.result_of(folder, task.metric.name)
            found[name] |= result._asdict()
            said = (
                f"{task.metric.name} {task.shown(result.score)} of the "
                "validation clips"
            )
        else:
            said = f"{outcome}: {why_failed(folder)}"
        self.record.keep(RUNS, found)
        self._learn_pace(candidate, epochs, seconds, outcome)
        where = "Stored states" if candidate.stored else f"Round {number + 1}"
        self.say(
            f"{where}: {candidate.name}, {epochs} epochs, {seconds:.0f} s: {said}"
        )

    def _learn_pace(self, candidate, epochs, seconds, outcome):
        """Corrects the estimate of an epoch by how long a run took."""
        if outcome != FINISHED or candidate.stored:
            return
        plain = self.pace._replace(slower=1.0).epoch(candidate)
        slower = max(0.1, (seconds - self.pace.start) / (epochs * plain))
        self.pace = self.pace._replace(slower=slower)

    def _better(self, chosen, number):
        """Returns the candidates of a round that finished, the best first."""
        found = self.record[RUNS] or {}
        done = {
            (run["round"], name.rpartition("-epochs_")[0]): run
            for name, run in found.items()
            if run["outcome"] == FINISHED
        }
        scored = [
            (done[number + 1, one.name], one)
            for one in chosen
            if (number + 1, one.name) in done
        ]
        scored.sort(key=lambda pair: worth(pair[0]), reverse=True)
        return [one for _, one in scored]


def worth(result: dict[str, Any]) -> tuple[float, float]:
    """Returns what results are compared by: the score, then the loss."""
    return result["score"], -result["loss"]


def best_of(record: Record, n: int) -> list[dict[str, Any]]:
    """Returns the n best results, of the probe and of all runs.

    A method and learning rate is taken once, at its best.
    """
    found = [{"name": "linear", **record["probe"]}]
    for name, run in (record[RUNS] or {}).items():
        if run["outcome"] == FINISHED:
            found.append({"name": name.rpartition("-epochs_")[0], **run})
    found.sort(key=worth, reverse=True)
    names, kept = set(), []
    for one in found:
        if one["name"] not in names:
            names.add(one["name"])
            kept.append(one)
    return kept[:n]


def artefact_of(result: dict[str, Any]) -> Path:
    """Returns the folder of a result's artefact."""
    return Path(result["folder"])
