"""Drawing speakers to hold out, and trials of them to validate on."""

import random
from collections.abc import Mapping, Sequence

from speechbrain_petl.dataio.trials import Trial

Utterances = Mapping[str, Sequence[str]]


def hold_out_speakers(
    utterances: Utterances, n_speakers: int, draw: int
) -> tuple[dict[str, Sequence[str]], dict[str, Sequence[str]]]:
    """Draws speakers to validate on, of whom nothing is trained.

    Arguments
    ---------
    utterances : dict of str to sequence of str
        Utterances of each speaker that is not tested.
    n_speakers : int
        How many to draw: 0, or 2 and more.
    draw : int
        Which draw: the seed of the choice.

    Returns
    -------
    training, held_out : dict of str to sequence of str
        Utterances by speaker.

    Raises
    ------
    ValueError
        If the number is 1 or negative, or leaves fewer than two speakers to
        train on.

    Example
    -------
    >>> speakers = {name: [f"{name}1", f"{name}2"] for name in "abcde"}
    >>> training, held_out = hold_out_speakers(speakers, 2, draw=0)
    >>> len(training), len(held_out), set(training) & set(held_out)
    (3, 2, set())
    """
    if len(utterances) < 2 or n_speakers not in (
        0,
        *range(2, len(utterances) - 1),
    ):
        raise ValueError(
            f"{n_speakers} of {len(utterances)} training speakers cannot be "
            "held out: give 0, or 2 and more that leave two to train on."
        )
    generator = random.Random(f"speakers/{draw}")
    chosen = set(generator.sample(sorted(utterances), n_speakers))
    held_out = {s: utterances[s] for s in sorted(chosen)}
    return {s: u for s, u in utterances.items() if s not in chosen}, held_out


def draw_trials(
    utterances: Utterances, n_trials: int, seed: int
) -> list[Trial]:
    """Draws as many target trials as others, none of them twice.

    Arguments
    ---------
    utterances : dict of str to sequence of str
        The utterances of each speaker.
    n_trials : int
        How many to draw at most, half of each kind. Where there are fewer
        pairs of a kind than that, all of them are taken.
    seed : int
        Which draw.

    Returns
    -------
    list of Trial
        Target trials first, each kind sorted.

    Raises
    ------
    ValueError
        If there are not two speakers, or no speaker has two utterances.

    Example
    -------
    >>> trials = draw_trials({"ann": ["a1", "a2"], "bob": ["b1"]}, 6, seed=0)
    >>> [tuple(trial) for trial in trials]
    [(True, 'a1', 'a2'), (False, 'a1', 'b1'), (False, 'a2', 'b1')]
    """
    generator = random.Random(f"trials/{seed}")
    speakers = sorted(name for name, said in utterances.items() if said)
    talkers = [name for name in speakers if len(utterances[name]) > 1]
    if len(speakers) < 2 or not talkers:
        raise ValueError(
            f"No trials can be drawn from {len(speakers)} speakers, "
            f"{len(talkers)} of them with two utterances: give two speakers "
            "at least, one of them with two utterances."
        )
    sizes = [len(utterances[name]) for name in speakers]
    n_target = sum(n * (n - 1) // 2 for n in sizes)
    n_other = (sum(sizes) ** 2 - sum(n * n for n in sizes)) // 2

    def pair(target: bool) -> tuple[str, str]:
        """Draws a pair, its utterances in alphabetical order."""
        if target:
            both = generator.sample(utterances[generator.choice(talkers)], 2)
        else:
            one, other = generator.sample(speakers, 2)
            both = [generator.choice(utterances[name]) for name in (one, other)]
        return min(both), max(both)

    trials = []
    for target, available in ((True, n_target), (False, n_other)):
        wanted = min(n_trials // 2, available)
        if 2 * wanted > available:  # few pairs: shuffle them all
            every = _all_pairs(utterances, speakers, target)
            drawn = set(generator.sample(every, wanted))
        else:
            drawn = set()
            while len(drawn) < wanted:
                drawn.add(pair(target))
        trials += [Trial(target, *both) for both in sorted(drawn)]
    return trials


def _all_pairs(utterances, speakers, target):
    """Every pair of one kind."""
    owners = [(name, said) for name in speakers for said in utterances[name]]
    return [
        (min(a, b), max(a, b))
        for i, (one, a) in enumerate(owners)
        for other, b in owners[:i]
        if (one == other) == target
    ]
