"""Which figures a plan has, and what each draws."""

import json

import pytest
from speechbrain_petl.experiments.reporting.collect import collect
from speechbrain_petl.experiments.reporting.plot import (
    KINDS,
    draw_confusions,
    draw_few_shot,
    draw_parameters,
    draw_rankings,
    draw_tokens,
    draw_training,
    write_figures,
)

LOG = (
    "epoch: 1, lr: 1.0e-03 - train loss: 2.0 - valid loss: 1.0, "
    "valid accuracy: 4.0e-01\n"
)


@pytest.fixture
def logged(output):
    """The plan, its cells with a log and a confusion matrix."""
    for number, file in enumerate(sorted(output.rglob("results.json"))):
        results = json.loads(file.read_text())
        results |= {"labels": ["a", "b"], "confusion": [[number, 1], [0, 2]]}
        file.write_text(json.dumps(results))
        file.with_name("train_log.txt").write_text(LOG)
    return output


def test_a_figure_a_corpus_has_a_point_a_variant(output):
    ((name, figure),) = draw_parameters(collect(output))
    assert name == "parameters_ESC50"
    (axes,) = figure.axes
    (lora,) = axes.containers
    assert lora[0].get_xdata().tolist() == [221184]
    assert lora[0].get_ydata()[0] == pytest.approx(74.0)
    assert axes.lines[-1].get_ydata()[0] == pytest.approx(72.0), "no parameter"
    title = figure.get_suptitle()
    assert title.startswith("ESC-50 (excerpt): mean over folds")


def test_curves_and_confusions_are_a_figure_a_variant(logged):
    outcome = collect(logged)
    names = [name for name, _ in draw_training(outcome)]
    assert names == ["training_ESC50_lora", "training_ESC50_linear"]
    (_, curves), _ = draw_training(outcome)
    assert len(curves.axes[0].lines) == 5, "a line a fold"
    texts = {text.get_text() for text in curves.legends[0].get_texts()}
    assert texts == {f"fold {n}, seed 1" for n in range(1, 6)}
    (_, lora), (name, linear) = draw_confusions(outcome)
    assert name == "confusion_ESC50_linear"
    # Folds come by name: those of linear are the cells 0 to 4.
    assert "25 test clips" in linear.get_suptitle()
    assert "50 test clips" in lora.get_suptitle()


def test_cells_of_a_few_shots_have_a_figure_of_their_own(output):
    assert list(draw_few_shot(collect(output))) == []
    plan = json.loads((output / "plan.json").read_text())
    for cell in plan["cells"]:
        cell["shots"] = 2 if cell["fold"] < 3 else 8
    (output / "plan.json").write_text(json.dumps(plan))
    outcome = collect(output)
    assert list(draw_parameters(outcome)) == list(draw_training(outcome)) == []
    ((name, figure),) = draw_few_shot(outcome)
    assert name == "few_shot_ESC50"
    for container in figure.axes[0].containers:
        assert container[0].get_xdata().tolist() == [2, 8]


def test_variants_are_ranked(output):
    ((name, figure),) = draw_rankings(collect(output))
    assert name == "ranking_ESC50"
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == ["linear  (0)", "lora  (221K)"], "the axis goes up"


def test_few_clips_have_no_t_sne(output, capsys):
    for file in output.rglob("results.json"):
        results = json.loads(file.read_text()) | {"n_test": 8}
        file.write_text(json.dumps(results))
    assert list(draw_tokens(collect(output))) == []
    said = capsys.readouterr().err
    assert said.count("no t-SNE of ESC-50: it takes 50 test clips") == 1


def test_what_is_named_is_written(logged, tmp_path):
    folder = tmp_path / "figures"
    files = write_figures(collect(logged), folder, ["parameters"])
    assert [file.name for file in files] == [
        "parameters_ESC50.png",
        "parameters_ESC50.svg",
    ]
    assert sorted(folder.iterdir()) == sorted(files)
    assert set(KINDS) >= {"parameters", "few_shot", "training", "confusion"}
