"""Selectors of sites."""

import pytest
from speechbrain_petl.lobes.selectors import resolve, select_sites
from speechbrain_petl.lobes.sites import find_sites


@pytest.mark.parametrize(
    ("selector", "layers"),
    [
        ("ffn", [0, 1, 2]),
        ("ffn[-1]", [2]),
        ("ffn[-3]", [0]),
        ("ffn[::2]", [0, 2]),
        ("ffn[:-1]", [0, 1]),
        ("ffn[::-1]", [2, 1, 0]),
    ],
)
def test_ranges_are_as_in_python(tiny_ast, selector, layers):
    picked = select_sites(find_sites(tiny_ast.model), selector)
    assert [site.layer for site in picked] == layers


@pytest.mark.parametrize("selector", ["ffn[3]", "ffn[-4]", "ffn[2:1]"])
def test_a_range_without_layers_is_refused(tiny_ast, selector):
    with pytest.raises(ValueError, match="picks no layer.*3 layers, 0 to 2"):
        select_sites(find_sites(tiny_ast.model), selector)


@pytest.mark.parametrize("selector", ["fnf", "ffn[a]", "ffn[0", "ffn[0,1]"])
def test_what_is_no_selector_is_refused(tiny_ast, selector):
    with pytest.raises(ValueError, match="Unknown role.*mhsa"):
        select_sites(find_sites(tiny_ast.model), selector)


def test_an_alias_follows_where_the_norms_stand(tiny_ast):
    sites = find_sites(tiny_ast.model)
    after = [
        site._replace(info=site.info._replace(norm="after")) for site in sites
    ]
    assert resolve("norm_before_ffn", sites) == "norm_ffn"
    assert resolve("norm_before_ffn", after) == "norm_mhsa"
    assert resolve("ffn", after) == "ffn"
