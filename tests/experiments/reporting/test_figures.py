"""The figures show what they are given, and come out the same each time."""

import json

import numpy as np
import pytest
import soundfile
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from speechbrain_petl.experiments.reporting.figures.accuracy import (
    Point,
    against_parameters,
    against_shots,
)
from speechbrain_petl.experiments.reporting.figures.experts import (
    draw_shares,
    expert_shares,
)
from speechbrain_petl.experiments.reporting.figures.model import load_model
from speechbrain_petl.experiments.reporting.figures.style import (
    looks,
    write_figure,
)
from speechbrain_petl.experiments.reporting.figures.tokens import (
    draw_embeddings,
    embed,
    flatten,
)
from speechbrain_petl.experiments.reporting.figures.training import (
    read_log,
    training_curves,
)

LINE = (
    "epoch: {}, lr: 1.0e-03 - train loss: {} - valid loss: 1.0, "
    "valid accuracy: {}\n"
)


def overlapping(figure):
    """Pairs of visible texts of a figure that cover each other."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    boxes = [
        (text.get_text(), text.get_window_extent(renderer))
        for text in dict.fromkeys(figure.findobj(Text))
        if text.get_visible() and text.get_text().strip()
    ]
    return [
        (one, other)
        for i, (one, box) in enumerate(boxes)
        for other, second in boxes[i + 1 :]
        if box.overlaps(second)
    ]


LINES = {
    "a method": [Point(1e4, 50, 2), Point(1e5, 60, 1), Point(1e6, 61, 3)],
    "another one with a long name": [Point(2e4, 55, 2), Point(3e5, 62)],
    "linear": [Point(0, 40, 1)],
}


def test_parameters_against_accuracy():
    figure = against_parameters(LINES, "ESC-50")
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    drawn = [container[0] for container in axes.containers]
    assert drawn[0].get_xdata().tolist() == [1e4, 1e5, 1e6]
    assert drawn[0].get_ydata().tolist() == [50, 60, 61]
    level = axes.lines[-1]
    assert level.get_ydata() == [40, 40], "no parameter: a level line"
    texts = {text.get_text() for text in figure.legends[0].get_texts()}
    assert texts == set(LINES)
    assert not overlapping(figure)


def test_few_shot_curves():
    lines = {"lora": [Point(8, 70), Point(1, 30), Point(2, 40)]}
    figure = against_shots(lines, "ESC-50")
    (axes,) = figure.axes
    assert axes.containers[0][0].get_xdata().tolist() == [1, 2, 8]
    assert axes.get_xticks().tolist() == [1, 2, 8]
    assert not overlapping(figure)


def test_looks_differ_in_greyscale_too():
    styles = looks(12)
    marks = {(look["marker"], look["linestyle"]) for look in styles}
    assert len(marks) == 12
    grey = sorted(
        np.dot(to_rgb(look["color"]), (0.299, 0.587, 0.114))
        for look in styles[:5]
    )
    assert min(np.diff(grey)) > 0.05


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


def test_the_same_figure_gives_the_same_files(tmp_path):
    first, second = (
        [file.read_bytes() for file in write_figure(figure, tmp_path / "f")]
        for figure in (against_parameters(LINES, "x") for _ in range(2))
    )
    assert first == second
    assert first[0].startswith(b"\x89PNG") and b"<svg" in first[1]


@pytest.fixture
def run(make_artefact, tmp_path, tiny_folder):
    """A finished run of a mixture of adapters, with six test clips."""
    results = {"hyperparameters": {"source": tiny_folder}}
    (tmp_path / "results.json").write_text(json.dumps(results))
    make_artefact(tmp_path / "artefact", "soft_moa", n_experts=3)
    rng = np.random.default_rng(0)
    entries = {}
    for i in range(6):
        soundfile.write(
            tmp_path / f"{i}.wav", rng.uniform(-0.5, 0.5, 8000), 16000
        )
        entries[str(i)] = {
            "wav": f"{{data_root}}/{i}.wav",
            "label": "abc"[i % 3],
        }
    (tmp_path / "manifest").mkdir()
    (tmp_path / "manifest" / "test.json").write_text(json.dumps(entries))
    return tmp_path


def test_embeddings_are_the_models_own(run):
    found = embed(run, str(run), n_classes=2)
    assert found.labels == ["a", "b", "a", "b"]
    assert found.cls.shape == found.pooled.shape == (4, 192)
    trained = load_model(run)
    wav = torch.from_numpy(soundfile.read(run / "0.wav", dtype="float32")[0])
    feats = trained.compute_features(wav[None])
    tokens = trained.encoder.model.tokens(feats)
    torch.testing.assert_close(found.cls[0], tokens[0, 0])
    torch.testing.assert_close(found.pooled[0], tokens[0].mean(dim=0))
    points = flatten(found.pooled)
    assert np.array_equal(points, flatten(found.pooled)), "seeded"
    figure = draw_embeddings(
        {"one": (found.labels, points), "two": (found.labels, points)}, "t-SNE"
    )
    assert not overlapping(figure)


def test_shares_of_experts(run, make_artefact, tmp_path):
    shares = expert_shares(run, str(run))
    assert shares.shape == (3, 3), "layers and experts"
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(3))
    assert shares.std(dim=1).max() > 1e-4, "experts differ"
    assert not overlapping(draw_shares(shares, "Soft-MoA"))
    make_artefact(tmp_path / "artefact", "lora")
    with pytest.raises(ValueError, match="is no mixture of adapters"):
        expert_shares(run, str(run))
