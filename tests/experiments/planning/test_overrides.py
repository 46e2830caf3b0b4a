"""``KEY=VALUE`` on a command line."""

import pytest
from speechbrain_petl.experiments.planning.overrides import as_text, pairs


def test_values_are_yaml_1_2():
    texts = ["lr=1e-3", "on=on", "n=010", "list=[1, 2]", "e=", "url=a=b"]
    assert pairs(texts, "--set") == {
        "lr": 0.001,
        "on": "on",
        "n": 10,
        "list": [1, 2],
        "e": None,
        "url": "a=b",
    }
    assert pairs(["a=1"], "--x", as_text) == {"a": "1"}


@pytest.mark.parametrize(
    "texts, message",
    [
        (["lr"], "--set is KEY=VALUE, not 'lr'"),
        (["=1"], "--set is KEY=VALUE"),
        (["a=1", "a=2"], "--set a is given twice"),
        (["a=["], "--set a cannot be read as YAML"),
        (["a=!x 1"], "--set a cannot be read as YAML"),
    ],
)
def test_what_is_refused(texts, message):
    with pytest.raises(ValueError, match=message):
        pairs(texts, "--set")
