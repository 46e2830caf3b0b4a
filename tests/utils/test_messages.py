"""Names of many, the nearest name, what keeps tensors from being loaded."""

from speechbrain_petl.utils.messages import (
    did_you_mean,
    first_line,
    mismatches,
    name_some,
)


def test_ten_are_named_and_the_rest_counted():
    assert name_some([str(i) for i in range(10)]).endswith("8, 9")
    assert name_some([str(i) for i in range(12)]).endswith("8, 9 and 2 more")
    assert name_some(["a", "b"], separator="; ") == "a; b"
    assert name_some([]) == ""


def test_the_nearest_name():
    assert did_you_mean("loar", ["dpt", "lora"]) == "did you mean lora?"
    assert did_you_mean("rl", ["lr"], prefix="--") == "did you mean --lr?"
    assert did_you_mean(4, range(3, 9)) == "did you mean 4?"
    assert did_you_mean("zzz", ["lora"]) == ""
    assert did_you_mean("lora", []) == ""


def test_mismatches_are_all_told():
    own = {"head.a": (2,), "head.b": (1,), "head.c": (3,)}
    given = {"head.a": [2], "head.c": (4,), "head.d": (1,)}
    assert mismatches(own, given) == (
        "'head.c' of shape (4,) instead of (3,); missing 'head.b'; "
        "unexpected 'head.d'"
    )
    assert mismatches(own, dict(own)) == ""
    many = {str(i): (1,) for i in range(30)}
    assert mismatches(many, {}).endswith("and 20 more")


def test_the_first_line_of_a_message():
    assert first_line(RuntimeError("  torch\nsays much")) == "torch"
