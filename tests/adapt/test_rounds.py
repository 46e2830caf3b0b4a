"""How the time is shared out."""

import pytest
from speechbrain_petl.adapt.candidates import Candidate
from speechbrain_petl.adapt.rounds import (
    LEAST,
    MOST,
    PLANNED,
    SHARES,
    Pace,
    plan_round,
)

SIX = [Candidate(name, name, {}, 3.0, 0) for name in "abcdef"]


@pytest.mark.parametrize("seconds", [20, 30, 120, 600, 36000])
def test_a_round_fits_into_its_time(seconds):
    pace, left = Pace(10.0, 1.0, 0.2, 1.3), seconds
    ranked, sizes = SIX, []
    for number in range(len(SHARES)):
        chosen, epochs = plan_round(ranked, left, number, pace)
        if not chosen:
            break
        assert LEAST <= epochs <= MOST
        used = sum(pace.start + epochs * pace.epoch(one) for one in chosen)
        assert used <= left
        sizes.append(len(chosen))
        left -= used
        ranked = chosen
    assert sizes == sorted(sizes, reverse=True)
    assert bool(sizes) == (seconds > 22.5 / PLANNED)


def test_more_models_stay_where_several_vote():
    pace = Pace(10.0, 1.0, 0.2)
    assert len(plan_round(SIX, 10000, 1, pace)[0]) == 2
    assert len(plan_round(SIX, 10000, 2, pace)[0]) == 1
    assert len(plan_round(SIX, 10000, 1, pace, last=3)[0]) == 3
    assert len(plan_round(SIX, 10000, 2, pace, last=3)[0]) == 3


def test_a_slower_machine_trains_fewer_epochs():
    fast, slow = Pace(10.0, 1.0, 0.2), Pace(10.0, 1.0, 0.2, slower=3.0)
    assert plan_round(SIX, 900, 0, slow)[1] < plan_round(SIX, 900, 0, fast)[1]


def test_a_cheaper_one_trains_where_the_best_has_no_time():
    some = [SIX[0], Candidate("upper", "upper", {}, 1.5, 0)]
    chosen, epochs = plan_round(some, 22, 0, Pace(5.0, 2.0, 1.0))
    assert [one.name for one in chosen] == ["upper"] and epochs == 3


def test_who_is_alone_has_all_the_time():
    """Nobody is left to choose among: further rounds would only train anew."""
    pace = Pace(10.0, 1.0, 0.2)
    chosen, epochs = plan_round(SIX, 100, 0, pace)
    assert len(chosen) == 1 and epochs == int(
        (100 * PLANNED - 10) / pace.epoch(SIX[0])
    )


def test_a_round_is_longer_than_the_one_before():
    pace = Pace(10.0, 1.0, 0.2)
    assert plan_round(SIX[:1], 62.5, 1, pace, before=11)[1] == 12
    assert plan_round(SIX[:1], 62.5, 1, pace, before=12) == ([], 0)
