"""YAML is read as hyperpyyaml reads it, and as nothing but data."""

import math

import pytest
from hyperpyyaml import load_hyperpyyaml
from speechbrain_petl.utils.yaml_text import read_yaml

VALUES = ["1e-3", "1E5", "-1.5e+2", "010", "0o10", "on", "yes", "True", "1:30"]
VALUES += ["null", "~", ".5", "'1'", "[1, a]", "{a: 1}", "1_000", "2001-01-01"]


@pytest.mark.parametrize("value", VALUES)
def test_values_are_as_a_recipe_reads_them(value):
    text = f"a: {value}"
    assert read_yaml(text, "x")["a"] == load_hyperpyyaml(text)["a"]


def test_numbers():
    text = "[1e-3, 3, .inf, on]"
    assert read_yaml(text, "x") == [0.001, 3, math.inf, "on"]
    assert read_yaml("", "x") is None


@pytest.mark.parametrize(
    "text",
    ["[", "a: 1\na: 2", "a: !new:os.system", "*a", "\x00", "- a\nb: 1"]
    + ["!!python/object/apply:os.system [ls]", "a: " + "[" * 5000],
)
def test_what_is_no_plain_yaml_is_refused(text):
    with pytest.raises(ValueError, match="^a.yaml cannot be read as YAML: "):
        read_yaml(text, "a.yaml")


def test_tags_are_left_out_on_request():
    text = "a: !new:x.Y\n    b: 1\nc: !ref <a>\nd: 1e-3"
    assert read_yaml(text, "x", tags=True) == {"a": None, "c": None, "d": 1e-3}
