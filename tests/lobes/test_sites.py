"""Roles find their places in the stock backbone, and nothing else does."""

import pytest
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.selectors import select_sites
from speechbrain_petl.lobes.sites import FAMILIES, find_sites, site_info
from torch import nn


def test_every_parameter_of_the_backbone_lies_in_a_site(tiny_ast):
    inside = {
        id(p) for site in find_sites(tiny_ast) for p in site.module.parameters()
    }
    assert inside == {id(p) for p in tiny_ast.parameters()}


def test_every_role_is_found(tiny_ast):
    roles = {site.role for site in find_sites(tiny_ast)}
    assert roles == set(FAMILIES["audio-spectrogram-transformer"].sites)


def test_sites_inside_another_module(tiny_ast):
    plain = [s.key for s in find_sites(tiny_ast.model)]
    assert [s.key for s in find_sites(tiny_ast)] == plain
    assert [s.key for s in find_sites(nn.ModuleList([tiny_ast]))] == plain


@pytest.mark.parametrize(
    "selector, keys",
    [
        ("ffn", ["ffn.0", "ffn.1", "ffn.2"]),
        ("ffn[0]", ["ffn.0"]),
        ("ffn[-1]", ["ffn.2"]),
        ("ffn[-3]", ["ffn.0"]),
        ("layer[1:]", ["layer.1", "layer.2"]),
        ("mhsa[::2]", ["mhsa.0", "mhsa.2"]),
        ("tokens", ["tokens"]),
    ],
)
def test_selectors(tiny_ast, selector, keys):
    assert [s.key for s in select_sites(find_sites(tiny_ast), selector)] == keys


@pytest.mark.parametrize(
    "selector, message",
    [
        ("fnn", "did you mean ffn\\?"),
        ("layers.0.mlp", "Unknown role 'layers.0.mlp'"),
        ("ffn[7:]", "'ffn\\[7:\\]' picks no layer: this backbone has 3 layers"),
        ("ffn[a]", "Unknown role"),
        ("ffn[1-2]", "Unknown role"),
        ("ffn[-4]", "'ffn\\[-4\\]' picks no layer"),
    ],
)
def test_bad_selectors_are_refused(tiny_ast, selector, message):
    with pytest.raises(ValueError, match=message):
        select_sites(find_sites(tiny_ast), selector)


def test_what_modules_do_not_say_comes_from_the_table(tiny_ast):
    config = tiny_ast.config
    assert config.hidden_size != config.intermediate_size
    for site in find_sites(tiny_ast):
        down = site.role == "ffn_down"
        size = config.intermediate_size if down else config.hidden_size
        assert site.info == (size, "before", 2, site.role), site.key


def test_the_backbone_is_not_marked_by_a_search_nor_by_a_model(tiny_ast):
    find_sites(tiny_ast)
    PETLModel(tiny_ast)
    assert not any(site_info(module) for module in tiny_ast.modules())


def test_a_module_without_a_known_backbone_is_refused():
    with pytest.raises(ValueError, match="holds no backbone of a known family"):
        find_sites(nn.Linear(2, 2))
