"""Learners on stored states, as a search tries them."""

import json

import pytest
from speechbrain_petl.adapt import candidates, rounds, session
from speechbrain_petl.adapt.candidates import make_candidates, widths
from speechbrain_petl.adapt.recipe import Recipe
from speechbrain_petl.adapt.session import train_folder
from transformers import ASTConfig, ASTModel

GIVEN = {"max_length": 48}


@pytest.fixture
def found(tiny_folder, request_for):
    """The candidates of a search, by method."""

    def make(n_clips=10, **options):
        request = request_for(method="auto", **options)
        made = make_candidates(
            Recipe(tiny_folder), request, GIVEN, n_clips, print
        )
        return {one.method: one for one in made}

    return make


def test_learners_are_tried_beside_adapters(found):
    learners = {name for name, _ in candidates.LEARNERS}
    by_method = found()
    assert {m for m, one in by_method.items() if one.stored} == learners
    for name in learners:
        one = by_method[name]
        assert one.overrides["stored_states"] == "fp32"
        assert one.overrides["freq_mask"] == one.overrides["time_mask"] == 0
        assert one.cost < 1 <= by_method["lora"].cost
    assert "stored_states" not in by_method["lora"].overrides


def test_they_are_as_wide_as_the_limit_allows(found):
    wide, narrow = found()["l_adapters"], found(params=2000)
    assert wide.overrides["size"] == 512
    for one in narrow.values():
        assert one.parameters <= 2000
    assert narrow["weighted_sum"].parameters < 10


def test_states_that_are_too_many_are_not_stored(found):
    by_method = found(n_clips=10**7)
    assert "ladder" not in by_method and "lora" in by_method


@pytest.mark.parametrize("size, left_out", [(16, []), (18, ["ladder"])])
def test_what_a_backbone_cannot_have_is_left_out(
    request_for, tmp_path, size, left_out
):
    """Four heads of a ladder do not divide 18; YAMLs' widths are for 768."""
    config = ASTConfig(
        hidden_size=size,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_length=48,
    )
    narrow = str(tmp_path / "narrow")
    ASTModel(config).save_pretrained(narrow)
    recipe, said = Recipe(narrow), []
    made = make_candidates(
        recipe, request_for(method="auto"), GIVEN, 10, said.append
    )
    tried = {name for name, _ in candidates.LEARNERS + candidates.TRIED}
    assert {one.method for one in made} == tried - set(left_out)
    assert [line.split(" is left out: ")[0] for line in said] == left_out
    for method in left_out:
        with pytest.raises(ValueError, match="18 wide.* heads do not divide"):
            make_candidates(
                recipe, request_for(method=method), GIVEN, 10, print
            )


def test_a_search_trains_on_stored_states(
    request_for, in_process, monkeypatch, tmp_path
):
    monkeypatch.setattr(candidates, "LEARNERS", (("weighted_sum", 0.01),))
    monkeypatch.setattr(candidates, "TRIED", (("lora", 0.005),))
    monkeypatch.setattr(rounds, "MOST", 2)
    said = []
    train_folder(request_for(method="auto"), said.append, in_process)
    first, second = in_process.commands
    assert {"--stored_states=fp32", "--number_of_epochs=2"} <= set(first)
    assert "weighted_sum" in first[2] and "lora" in second[2]
    record = json.loads((tmp_path / "out/search.json").read_text())
    assert record["stored"] == ["weighted_sum-lr_0.01"]
    run = record["runs"]["weighted_sum-lr_0.01-epochs_2"]
    assert run["round"] == 0 and run["overrides"]["stored_states"] == "fp32"
    results = json.loads(
        (
            tmp_path / "out/runs/weighted_sum-lr_0.01-epochs_2/results.json"
        ).read_text()
    )
    assert results["stored"], "it read stored states"
    assert any(line.startswith("Stored states: weighted_sum") for line in said)


def test_widths_of_one_method_go_together():
    assert widths(["a_reduction_rate"], 8, 16) == {"a_reduction_rate": 1}


def test_learners_that_find_no_time_are_told_of(request_for, monkeypatch):
    monkeypatch.setattr(session, "measure_start", lambda: 1e6)
    said = []
    train_folder(request_for(method="weighted_sum"), said.append)
    assert any("No time is left to train adapters" in line for line in said)
