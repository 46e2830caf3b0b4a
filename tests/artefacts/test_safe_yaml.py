"""YAML as plain data: tags are kept as text, and what is too much refused."""

import pytest
from speechbrain_petl.artefacts.safe_yaml import (
    DEEPEST,
    MOST_NODES,
    MOST_OBJECTS,
    Tagged,
    read_tree,
)


def test_scalars_become_pythons_own_types():
    text = "a: 1_000\nb: 1e-3\nc: True\nd: null\ne: '1'\nf: -.inf"
    found = read_tree(text, "x.yaml")
    assert found == {
        "a": 1000,
        "b": 0.001,
        "c": True,
        "d": None,
        "e": "1",
        "f": float("-inf"),
    }
    assert type(found["a"]) is int and type(found["c"]) is bool


def test_nothing_is_constructed(tmp_path):
    made = tmp_path / "made"
    tag = "!!python/object/apply:os.mkdir"
    found = read_tree(f"a: {tag} ['{made}']\nb: !ref <a>", "x.yaml")
    assert isinstance(found["a"], Tagged)
    assert "python/object/apply:os.mkdir" in found["a"].tag
    assert found["a"].value == [str(made)]
    assert found["b"] == Tagged("!ref", "<a>")
    assert not made.exists()


@pytest.mark.parametrize(
    "text, words",
    [
        ("a: &x 1\nb: *x", "an alias"),
        ("a: 1\na: 2", "stands twice"),
        ("1: a", "no text"),
        ("[1, 2]", "no keys"),
        ("a: [", "cannot be read as YAML"),
        ("%YAML 1.1\n---\na: 1", "a directive"),
        ("a: " + "[" * DEEPEST + "]" * DEEPEST, "larger"),
        ("a: [" + "1," * MOST_NODES + "]", "larger"),
        ("a: [" + "!new:x.Y {}," * (MOST_OBJECTS + 1) + "]", "larger"),
    ],
)
def test_refusals_name_the_file(text, words):
    with pytest.raises(ValueError, match=f"'x.yaml'.*{words}"):
        read_tree(text, "x.yaml")


def test_the_largest_tree_is_read():
    depth = DEEPEST - 1  # the mapping around them is a level too
    assert read_tree("a: " + "[" * depth + "]" * depth, "x.yaml")
    objects = "!new:x.Y {}," * MOST_OBJECTS
    assert len(read_tree(f"a: [{objects}]", "x.yaml")["a"]) == MOST_OBJECTS
