"""The cost of a plan, from the operations of one clip."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from speechbrain_petl.experiments.planning.plan import Cell, Plan, Variant
from speechbrain_petl.experiments.planning.recipes import read_recipe
from speechbrain_petl.experiments.reporting import cost
from speechbrain_petl.experiments.running.run import Work
from speechbrain_petl.utils.recipes import find_recipes

YAML = """
data_folder: !PLACEHOLDER
output_folder: !PLACEHOLDER
width: 3
encoder: !new:torch.nn.Linear
    in_features: 5
    out_features: !ref <width>
backbone: !new:types.SimpleNamespace
    input_shape: [5]
number_of_epochs: 2
"""
# A model of which nothing is trained
FROZEN = """
encoder: !apply:torch.nn.Linear.requires_grad_
    - !new:torch.nn.Linear [5, 3]
    - False
"""


@pytest.fixture
def recipes(tmp_path):
    """ESC-50 with the model of one layer."""
    hparams = tmp_path / "ESC50" / "hparams"
    hparams.mkdir(parents=True)
    corpus = find_recipes() / "ESC50" / "corpus.yaml"
    (tmp_path / "ESC50" / "corpus.yaml").write_bytes(corpus.read_bytes())
    (hparams / "lora.yaml").write_text(YAML)
    start, end = YAML.index("encoder:"), YAML.index("backbone:")
    text = YAML[:start] + FROZEN + YAML[end:]
    (hparams / "frozen.yaml").write_text(text)
    return tmp_path


def cell(yaml="lora", shots=None, **overrides):
    """A run."""
    variant = Variant(yaml, yaml)
    return Cell("ESC50", variant, 1, 1, shots, overrides=overrides)


def test_a_pass_is_counted_forward_and_backward(recipes):
    training, forward, hparams = cost.operations(cell(), recipes)
    assert forward == 2 * 5 * 3  # a multiplication and an addition each
    assert training == 2 * forward  # only the weights need a gradient
    assert hparams["number_of_epochs"] == 2
    # An override is of the model, and one that the YAML lacks is left out.
    wider = cell(width=6, device="cpu")
    assert cost.operations(wider, recipes)[1] == 2 * 5 * 6
    assert cost.operations(cell("frozen"), recipes)[:2] == (forward, forward)


def test_a_run_is_all_its_clips_and_epochs(recipes):
    recipe = read_recipe(recipes / "ESC50")
    train, valid, test = recipe.clips
    whole = cost.estimate(cell(), recipes)
    assert whole == 2 * (train * 60 + valid * 30) + test * 30
    few = cost.estimate(cell(shots=1), recipes)
    assert whole - few == 2 * (train - recipe.classes) * 60


def test_what_is_finished_is_not_left_to_pay(monkeypatch, capsys):
    def estimate(one, recipes):
        if one.variant.label == "lost":
            raise OSError("the backbone is not here")
        return 3 * cost.GIGA

    monkeypatch.setattr(cost, "estimate", estimate)
    work = [
        Work(cell(label), SimpleNamespace(name=f"{label}_{state}"), "", state)
        for label in ("lora", "lost")
        for state in ("finished", "new", "interrupted")
    ]
    plan = Plan("mine", "My plan", ["ESC50"], [])
    assert cost.show(work, plan, Path()) == 0
    printed = capsys.readouterr().out
    assert printed.count("No estimate for cells like lost_finished: the") == 1
    assert "2 finished, 2 new, 2 interrupted" in printed
    assert "My plan: about 6 GFLOPs left in 2 of 4 cells" in printed


def test_one_reason_is_told_once(monkeypatch, capsys):
    def estimate(one, recipes):
        raise ValueError("nobody knows the sizes")

    monkeypatch.setattr(cost, "estimate", estimate)
    work = [
        Work(cell(label), SimpleNamespace(name=f"{label}_1"), "", "new")
        for label in ("lora", "linear", "dpt")
    ]
    assert cost.show(work, Plan("mine", "My plan", ["ESC50"], []), Path()) == 0
    printed = capsys.readouterr().out
    told = "No estimate for cells like lora_1, linear_1, dpt_1: nobody knows"
    assert told in printed and printed.count("nobody knows") == 1
    assert "GFLOPs" not in printed, "0 of nothing is no estimate"


def test_no_checkpoint_is_read(monkeypatch):
    """Of the shipped plans' backbones the sizes are known."""
    monkeypatch.setattr("socket.socket", None)  # whoever asks the hub fails
    folder = find_recipes()
    training, forward, _ = cost.operations(cell("lora"), folder)
    assert 1e11 < forward < training < 3 * forward
