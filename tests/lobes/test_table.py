"""The table of sites."""

from types import SimpleNamespace

import pytest
from speechbrain_petl.lobes.table import FAMILIES, STABLE, family_of

ROLES = {"tokens", "layer", "mhsa", "query", "key", "value", "output", "ffn"}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_the_roles_that_methods_name(name):
    family = FAMILIES[name]
    assert set(family.sites) >= ROLES | {"ffn_up", "ffn_down"}
    assert set(family.widths) <= set(family.sites)
    assert family.norm in ("before", "after")
    assert len(set(family.sites.values())) == len(family.sites)


@pytest.mark.parametrize("name", STABLE)
def test_the_stable_form_has_its_last_norm_at_the_end(name):
    config = SimpleNamespace(model_type=name, do_stable_layer_norm=False)
    plain = family_of(config)
    config.do_stable_layer_norm = True
    stable = family_of(config)
    assert (plain.norm, stable.norm) == ("after", "before")
    assert plain.sites["norm_tokens"] == stable.sites["norm_final"]
    assert "norm_final" not in plain.sites


def test_what_is_not_in_the_table_has_no_row():
    assert family_of(SimpleNamespace(model_type="bert")) is None
    assert family_of(SimpleNamespace(model_type=None)) is None
    assert family_of(None) is None
