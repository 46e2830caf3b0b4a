"""Plain values: what a text on a command line stands for."""

import pytest
from speechbrain_petl.utils.plain_yaml import (
    one_value,
    plain_value,
    plain_values,
)


@pytest.mark.parametrize(
    "text, value",
    [
        ("3", 3),
        (" 1e-3 ", 0.001),
        ("True", True),
        ("null", None),
        ("~", None),
        ("[1, 2]", [1, 2]),
        ("{a: 1}", {"a": 1}),
        ("'3'", "3"),
        ("cuda:0", "cuda:0"),
        ("a: b", "a: b"),
        ("- a", "- a"),
        ("/data/a #1", "/data/a #1"),
        ("# all", "# all"),
        ("", ""),
        ("[1, 2", "[1, 2"),
        ('say "é"', 'say "é"'),
    ],
)
def test_a_text_is_what_it_looks_like(text, value):
    found = plain_value(one_value(text))
    assert found == value and type(found) is type(value)


def test_a_tag_stays_and_has_no_plain_value():
    assert one_value(" !ref <a>") == "!ref <a>"
    assert plain_value("!ref <a>") is None


def test_overrides_replace_and_add_keys():
    text = "a: 1\nb: !new:x.Y {}\nc: [1]"
    found = plain_values(text, {"a": "!ref <c>", "d": "2"})
    assert found == {"a": None, "b": None, "c": [1], "d": 2}
