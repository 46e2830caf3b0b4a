"""Speakers that are held out, and trials of them."""

import pytest
from speechbrain_petl.dataio.draw_trials import draw_trials, hold_out_speakers

SPEAKERS = {name: [f"{name}{i}" for i in range(6)] for name in "abcdef"}


def test_a_draw_is_the_same_in_any_order():
    backward = dict(reversed(SPEAKERS.items()))
    training, held_out = hold_out_speakers(SPEAKERS, 2, 0)
    assert {**training, **held_out} == SPEAKERS and len(held_out) == 2
    draws = [hold_out_speakers(SPEAKERS, 2, draw) for draw in range(9)]
    assert draws == [hold_out_speakers(backward, 2, d) for d in range(9)]
    assert len({tuple(drawn) for _, drawn in draws}) > 1


@pytest.mark.parametrize("n_speakers", [-1, 1, 5, 6])
def test_one_speaker_is_no_side(n_speakers):
    with pytest.raises(ValueError, match=f"{n_speakers} of 6 training"):
        hold_out_speakers(SPEAKERS, n_speakers, 0)
    assert hold_out_speakers(SPEAKERS, 0, 0) == (SPEAKERS, {})


# 90 target pairs and 540 others: drawn one by one, shuffled, or all taken
@pytest.mark.parametrize(
    ("wanted", "targets", "others"),
    [(20, 10, 10), (150, 75, 75), (400, 90, 200), (5000, 90, 540)],
)
def test_trials_are_what_they_say_and_none_is_drawn_twice(
    wanted, targets, others
):
    trials = draw_trials(SPEAKERS, wanted, seed=0)
    assert [t.target for t in trials] == [True] * targets + [False] * others
    pairs = {frozenset((t.first, t.second)) for t in trials}
    assert len(pairs) == len(trials) and all(len(p) == 2 for p in pairs)
    assert all((t.first[0] == t.second[0]) == t.target for t in trials)
    backward = dict(reversed(SPEAKERS.items()))
    assert draw_trials(backward, wanted, seed=0) == trials
    if wanted < 5000:
        assert draw_trials(SPEAKERS, wanted, seed=1) != trials


def test_speakers_without_pairs_are_refused():
    for few in ({"a": ["a1", "a2"], "b": []}, {"a": ["a1"], "b": ["b1"]}):
        with pytest.raises(ValueError, match="No trials can be drawn"):
            draw_trials(few, 4, seed=0)
