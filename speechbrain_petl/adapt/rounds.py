"""Successive halving: many candidates for few epochs, a few for many.

The time is shared out among the rounds. In a round all candidates train for
as many epochs as its time allows; the better ones go on to the next, and
train anew, since the schedule of the learning rate ends with the epochs.
(Jamieson and Talwalkar, AISTATS 2016.) Once nobody is left to choose among,
all the time that is left is for one last round.
"""

from collections.abc import Sequence
from typing import NamedTuple

from speechbrain_petl.adapt.candidates import Candidate

SHARES = (0.35, 0.25, 0.4)  # of the time, by round
KEEP = 3  # one of so many goes on
LEAST, MOST = 3, 50  # epochs
# Of all the time that is left, so much is planned: a run that takes longer
# than is left is ended, and nothing comes of it.
PLANNED = 0.8
# Of the time, at most so much goes to what trains on stored states; an epoch
# of that takes so many seconds beside.
STORED_SHARE, STORED_BESIDE = 0.3, 0.2


class Pace(NamedTuple):
    """How long things take on this machine, in seconds.

    Arguments
    ---------
    start : float
        A run, before and after its epochs.
    train : float
        A forward pass over the training split.
    valid : float
        A forward pass over the validation split.
    slower : float
        How many times as long epochs took as the two say.
    """

    start: float
    train: float
    valid: float
    slower: float = 1.0

    def epoch(self, candidate: Candidate) -> float:
        """Returns the seconds of an epoch."""
        if candidate.stored:
            return candidate.cost * (self.train + self.valid) + STORED_BESIDE
        return self.slower * (self.train * candidate.cost + self.valid)


def plan_stored(
    candidates: Sequence[Candidate], seconds: float, pace: Pace
) -> list[Candidate]:
    """Decides who trains on stored states, all epochs at once.

    Their epochs take next to nothing, so that nobody is left behind in rounds
    of few epochs. The first of a method runs the backbone over all clips, the
    others find its states.

    Arguments
    ---------
    candidates : sequence of Candidate
        Who may, the most promising first; others are passed over.
    seconds : float
        Time that is left for these and all rounds.
    pace : Pace
        How long things take.

    Returns
    -------
    list of Candidate

    Example
    -------
    >>> pace = Pace(start=10, train=2, valid=1)
    >>> a, b = (Candidate(n, n, {}, 0.02, 0, True) for n in "ab")
    >>> [one.name for one in plan_stored([a, b], 100, pace)]
    ['a', 'b']
    >>> other = Candidate("c", "c", {}, 3.0, 0)  # which needs time as well
    >>> [one.name for one in plan_stored([a, b, other], 100, pace)]
    ['a']
    """
    alone = all(one.stored for one in candidates)
    left, chosen = (1.0 if alone else STORED_SHARE) * seconds, []
    for one in candidates:
        if not one.stored:
            continue
        known = one.method in {other.method for other in chosen}
        fill = 0.0 if known else pace.train + pace.valid
        left -= pace.start + fill + MOST * pace.epoch(one)
        if left < 0:
            break
        chosen.append(one)
    return chosen


def plan_round(
    candidates: Sequence[Candidate],
    seconds: float,
    number: int,
    pace: Pace,
    last: int = 1,
    before: int = 0,
) -> tuple[list[Candidate], int]:
    """Decides who trains in a round, and for how many epochs.

    ``last`` candidates or fewer have all the time that is left: their round is
    the last one.

    Arguments
    ---------
    candidates : sequence of Candidate
        Who may, the best or most promising first.
    seconds : float
        Time that is left for this and all later rounds.
    number : int
        Which round it is, from 0.
    pace : Pace
        How long things take.
    last : int
        How many models are wanted in the end.
    before : int
        Epochs of the round before: no more than these teach nothing new.

    Returns
    -------
    candidates : list of Candidate
        Those that train; none if there is no time.
    epochs : int
        For how many epochs.

    Example
    -------
    >>> pace = Pace(start=10, train=2, valid=1)
    >>> some = [Candidate(n, n, {}, 3.0, 0) for n in "abc"]
    >>> found, epochs = plan_round(some, 300, 0, pace)
    >>> [one.name for one in found], epochs
    (['a', 'b', 'c'], 3)
    >>> found, epochs = plan_round(some, 195, 1, pace)
    >>> [one.name for one in found], epochs
    (['a'], 20)
    """
    n = -(-len(candidates) // KEEP**number)
    if number == len(SHARES) - 1:
        n = 1
    n = min(len(candidates), max(last, n))
    share = seconds * SHARES[number] / sum(SHARES[number:])
    groups = [
        (list(candidates[:k]), share if k > last else PLANNED * seconds)
        for k in range(n, 0, -1)
    ]
    groups += [([one], PLANNED * seconds) for one in candidates[1:]]
    for chosen, time in groups:
        left = time - len(chosen) * pace.start
        epochs = int(left / sum(map(pace.epoch, chosen)))
        if epochs >= max(LEAST, before + 1):
            return chosen, min(epochs, MOST)
    return [], 0
