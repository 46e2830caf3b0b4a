"""Training curves, read off a log."""

from speechbrain_petl.experiments.reporting.figures.training import (
    read_log,
    training_curves,
)

from tests.experiments.reporting.figures.drawn import overlapping

LINE = (
    "epoch: {}, lr: 1.0e-03 - train loss: {} - valid loss: 1.0, "
    "valid accuracy: {}\n"
)


def test_a_log_that_was_interrupted(tmp_path):
    log = tmp_path / "train_log.txt"
    log.write_text(
        LINE.format(1, "2.0", "1.0e-01")
        + LINE.format(2, "1.5", "2.0e-01")
        + LINE.format(2, "1.4", "3.0e-01")
        + "Epoch loaded: 2 - test loss: 1.0, test accuracy: 2.5e-01\n"
    )
    curves = read_log(log)
    assert curves["epoch"] == [1, 2]
    assert curves["train loss"] == [2.0, 1.4], "the later line counts"
    assert curves["valid accuracy"] == [0.1, 0.3]
    figure = training_curves({"lora": curves}, "a run")
    assert figure.axes[2].lines[0].get_ydata().tolist() == [10.0, 30.0]
    assert not overlapping(figure)
    log.write_text("epoch: 1, lr: 1.0e-03 - train loss: 2.0\n")
    assert list(read_log(log)) == ["epoch", "train loss"], "no validation"
