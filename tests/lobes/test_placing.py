"""Wrappers in their places: names, order, and targets left alone."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.insertion import Parallel, Sequential
from speechbrain_petl.lobes.placing import place
from speechbrain_petl.lobes.sites import find_sites
from torch import nn

BESIDE = partial(Parallel, adapter=Bottleneck)
BEHIND = partial(Sequential, adapter=Bottleneck)


def test_a_list_is_from_the_inside_out(tiny_ast):
    sites = find_sites(tiny_ast.model)
    stock = next(site.module for site in sites if site.key == "ffn.1")
    inner, outer = place(sites, [("ffn[1]", [BESIDE, BEHIND])])
    assert [inner.name, outer.name] == ["ffn.1", "ffn.1.1"]
    assert tiny_ast.model.get_submodule(outer.site.path) is outer.wrapper
    assert outer.wrapper.target is inner.wrapper
    assert inner.wrapper.target is stock


def test_the_innermost_site_comes_first(tiny_ast):
    insertions = [
        ("layer[0]", BEHIND),
        ("query[0]", BESIDE),
        ("ffn[0]", BESIDE),
    ]
    placed = place(find_sites(tiny_ast.model), insertions)
    assert [one.name for one in placed] == ["query.0", "ffn.0", "layer.0"]


def test_a_strange_wrapper_that_writes_into_its_target_is_refused(tiny_ast):
    class Zeroing(nn.Module):
        def __init__(self, target):
            super().__init__()
            self.inside = target
            with torch.no_grad():
                next(target.parameters()).zero_()

    with pytest.raises(ValueError, match=r"Zeroing changes '.*' of 'ffn.0'"):
        place(find_sites(tiny_ast.model), [("ffn[0]", Zeroing)])
