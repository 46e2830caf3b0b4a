"""Names of tensors: each once, after its innermost site."""

import pytest
import torch
from speechbrain_petl.lobes.naming import check_same, match, stock_tensors
from speechbrain_petl.lobes.sites import find_sites


def test_every_tensor_has_one_name_after_its_innermost_site(tiny_ast):
    model = tiny_ast.model
    named = stock_tensors(find_sites(model), model)
    saved = {id(t) for t in model.state_dict(keep_vars=True).values()}
    assert {id(tensor) for tensor in named.values()} == saved
    assert len(named) == len(saved)
    assert {"query.0.weight", "ffn_up.2.bias"} <= set(named)
    assert not any(name.startswith(("mhsa.", "layer.")) for name in named)


def test_a_skipped_tensor_has_no_name(tiny_ast):
    model = tiny_ast.model
    sites = find_sites(model)
    every = stock_tensors(sites, model)
    left = stock_tensors(sites, model, skip=[every["norm_final.bias"]])
    assert set(every) - set(left) == {"norm_final.bias"}


def test_a_selector_stands_for_all_inside_and_a_pattern_for_names(tiny_ast):
    sites = find_sites(tiny_ast.model)
    tensors = stock_tensors(sites, tiny_ast.model)
    last = match(tensors, ["layer[-1:]", "norm_ffn.2"], sites)
    assert len(last) == len(set(last))
    assert {"query.2.weight", "norm_ffn.2.bias"} <= set(last)
    assert all(".2." in name for name in last)
    biases = [f"query.{layer}.bias" for layer in range(3)]
    assert sorted(match(tensors, ["query.*.bias"], sites)) == biases
    with pytest.raises(ValueError, match="'nothing' matches no parameter"):
        match(tensors, ["query", "nothing"], sites)
    with pytest.raises(ValueError, match=r"write \[query\]"):
        match(tensors, "query", sites)


def test_tensors_of_another_shape_are_refused():
    own = {"a": torch.ones(2, 3)}
    check_same(own, {"a": torch.zeros(2, 3)})
    with pytest.raises(ValueError, match="do not fit this model.*'a'"):
        check_same(own, {"a": torch.zeros(3, 2)})
