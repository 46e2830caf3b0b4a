"""A finished run ends with what it found, and where that is."""

from pathlib import Path

from speechbrain_petl.utils.summary import LAST, summary


def test_any_metric_is_told_as_it_is_reported():
    results = {"selects": "eer", "direction": "min", "eer": 0.125}
    results |= {"n_test": 1200, "best_epoch": 7, "n_correct": 3}
    told = summary(results, Path("out"))
    assert told.startswith("Test eer 0.1250 (1,200 clips) at epoch 7. ")
    assert told.endswith("out/results.json. Artefact: out/artefact.")


def test_accuracy_comes_with_the_clips_behind_it():
    results = {"accuracy": 0.625, "n_correct": 5, "n_test": 8, "best_epoch": 1}
    told = summary(results, Path("out"))
    assert told.startswith("Test accuracy 62.50 % (5 of 8 clips) at epoch 1.")


def test_a_last_epoch_that_nothing_chose_is_told():
    results = {"accuracy": 0.5, "n_test": 8, "best_epoch": 50}
    told = summary({**results, "epoch_chosen_by": LAST}, Path("out"))
    assert "at epoch 50, the last, as none was validated. Results" in told
    chosen = summary(
        {**results, "epoch_chosen_by": "valid_accuracy"}, Path("out")
    )
    assert "at epoch 50. Results" in chosen
