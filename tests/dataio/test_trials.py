"""Lists of trials, trials that are drawn, speakers that are held out."""

from collections import Counter
from itertools import combinations

import pytest
from speechbrain_petl.dataio.draw_trials import draw_trials, hold_out_speakers
from speechbrain_petl.dataio.trials import (
    Trial,
    keep_trials,
    read_trials,
    read_voxceleb_list,
    write_trials,
)


def speakers(*sizes):
    """Utterances of speakers a, b, c and so on."""
    return {
        name: [f"{name}{i}" for i in range(size)]
        for name, size in zip("abcdefgh", sizes)
    }


def test_a_list_round_trips(tmp_path):
    file = tmp_path / "veri.txt"
    file.write_text("1 a/x/1.wav a/y/1.wav\n\n0 a/x/1.wav b/z/2.wav\n")
    trials = read_voxceleb_list(file)
    assert trials == [
        Trial(True, "a/x/1.wav", "a/y/1.wav"),
        Trial(False, "a/x/1.wav", "b/z/2.wav"),
    ]
    write_trials(tmp_path / "trials.csv", trials)
    assert read_trials(tmp_path / "trials.csv") == trials


@pytest.mark.parametrize("n_trials", [10, 50, 60, 1000])
def test_draws_are_balanced_and_without_repetition(n_trials):
    utterances = speakers(5, 5, 1, 5)
    trials = draw_trials(utterances, n_trials, seed=3)
    assert len(set(trials)) == len(trials)
    assert trials == draw_trials(utterances, n_trials, seed=3)
    pairs = Counter(a[0] == b[0] for a, b in combinations(sorted(
        name for said in utterances.values() for name in said
    ), 2))  # fmt: skip
    for target in (True, False):
        some = [t for t in trials if t.target == target]
        assert len(some) == min(n_trials // 2, pairs[target])
        assert all((t.first[0] == t.second[0]) == target for t in some)
        assert all(t.first != t.second for t in some)


def test_another_seed_is_another_draw():
    utterances = speakers(9, 9, 9)
    draws = [draw_trials(utterances, 20, seed) for seed in (0, 1)]
    assert draws[0] != draws[1]


@pytest.mark.parametrize("sizes", [(4,), (1, 1, 1), (), (3, 0)])
def test_speakers_that_make_no_trials(sizes):
    with pytest.raises(ValueError, match="No trials can be drawn from"):
        draw_trials(speakers(*sizes), 10, seed=0)


def test_held_out_speakers_train_nothing():
    utterances = speakers(2, 2, 2, 2, 2)
    training, held_out = hold_out_speakers(utterances, 3, draw=1)
    assert len(held_out) == 3 and not set(training) & set(held_out)
    assert {**training, **held_out} == utterances
    assert hold_out_speakers(utterances, 3, draw=1)[1] == held_out
    assert hold_out_speakers(utterances, 0, draw=1) == (utterances, {})
    draws = {
        tuple(hold_out_speakers(utterances, 2, draw)[1]) for draw in range(9)
    }
    assert len(draws) > 1


@pytest.mark.parametrize("n_speakers", [-2, 1, 4, 5, 6])
def test_too_many_held_out(n_speakers):
    with pytest.raises(ValueError, match=f"{n_speakers} of 5 training speak"):
        hold_out_speakers(speakers(2, 2, 2, 2, 2), n_speakers, draw=0)


def test_trials_of_what_is_left_out_go_with_a_warning(caplog):
    trials = [Trial(True, "a", "b"), Trial(False, "a", "c")]
    assert keep_trials(trials, ["a", "b", "c"], "test") == trials
    assert not caplog.text
    assert keep_trials(trials, ["a", "c"], "test") == trials[1:]
    assert "without 1 of 2 trials of the test split" in caplog.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1 a b c\n", "line 1: '1 a b c' is no trial"),
        (b"yes a b\n", "is no trial"),
        (b"1 a b\n", "1 target trials among 1"),
        (b"", "0 target trials among 0"),
        (b"1 a \xff\n", "is not text in UTF-8"),
    ],
)
def test_a_damaged_list_is_refused(tmp_path, content, message):
    file = tmp_path / "veri.txt"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read_voxceleb_list(file)
    assert str(file) in str(error.value)


def test_a_damaged_table_of_trials_is_refused(tmp_path):
    file = tmp_path / "trials.csv"
    file.write_text("target,first,second\n2,a,b\n")
    with pytest.raises(ValueError, match="number from 0 to 1"):
        read_trials(file)
    file.write_text("target,first,second\n0,a,b\n")
    with pytest.raises(ValueError, match="0 target trials among 1"):
        read_trials(file)
