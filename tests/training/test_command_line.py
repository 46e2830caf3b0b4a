"""A command line is read as it looks, or refused in a sentence."""

import pytest
from speechbrain_petl.training.command_line import (
    check_overrides,
    divide,
    one_interval,
    read_arguments,
)
from speechbrain_petl.training.folder_name import name_apart
from speechbrain_petl.utils.plain_yaml import plain_value

TEXT = """\
seed: 1
folds: null
data_folder: x
precision: auto
max_grad_norm: .inf
ckpt_interval_minutes: 15
output_folder: !ref results/seed_<seed>
"""


def value_of(*words):
    """What an option is read as."""
    _, given = read_arguments(["a.yaml", *words])
    (value,) = given.values()
    return plain_value(value)


@pytest.mark.parametrize(
    "words, value",
    [
        (["--data_folder=/data/a=b"], "/data/a=b"),
        (["--data_folder", "/data/a=b"], "/data/a=b"),
        (["--data_folder", "/data/a #1"], "/data/a #1"),
        (["--data_folder", "C: x"], "C: x"),
        (["--data_folder", "- x"], "- x"),
        (["--data_folder", "[x"], "[x"),
        (["--data_folder", '"a" "b"'], '"a" "b"'),
        (["--data_folder", "#"], "#"),
        (["--folds", "[1,", "2]"], [1, 2]),
        (["--folds", "{a: 1}"], {"a": 1}),
        (["--folds", "null"], None),
        (["--lr", "1e-3"], 0.001),
        (["--lr=-1"], -1),
        (["--seed", "'7'"], "7"),
    ],
)
def test_values(words, value):
    assert value_of(*words) == value


def test_flags_need_no_value():
    file, given = read_arguments(["--debug", "a.yaml", "--compile", "True"])
    assert file == "a.yaml"
    assert given == {"debug": "True", "compile": "True"}
    assert read_arguments(["--device", "cpu", "a.yaml"])[0] == "a.yaml"


@pytest.mark.parametrize(
    "words, message",
    [
        (["--seed", "1"], "no YAML file on the command line"),
        (["a.yaml", "--seed"], "--seed has no value"),
        (["a.yaml", "--seed="], "--seed has no value"),
        (["a.yaml", "--seed", "--debug"], "--seed has no value"),
        (["a.yaml", "3"], "'3' belongs to no option"),
        (["a.yaml", "--seed", "1", "--seed=2"], "--seed is given 2 times"),
        (["a.yaml", "--prec", "bf16"], "did you mean --precision"),
        (["a.yaml", "--precision", "half"], "one of auto, fp32, fp16, bf16"),
        (["a.yaml", "--debug=maybe"], "--debug is True or False"),
        (["a.yaml", "--debug_batches", "x"], "--debug_batches is a whole"),
        (["a.yaml", "--max_grad_norm", "-1"], "that is not negative"),
        (["a.yaml", "--max_grad_norm", "[1]"], "--max_grad_norm is a number"),
        (["a.yaml", "--seed", "null"], "--seed is a whole number"),
        (["a.yaml", "--optimizer_step_limit", "x"], "is a whole number"),
        (["a.yaml", "--compile_mode", "fast"], "--compile_mode is one of"),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else "",
)
@pytest.mark.fault("command line that cannot be")
def test_what_is_refused(words, message):
    with pytest.raises(ValueError, match=message):
        divide(read_arguments(words)[1], TEXT, "a.yaml")


def test_options_that_the_yaml_has_override_the_yaml():
    words = ["a.yaml", "--precision=bf16", "--eval_precision=bf16"]
    words += ["--optimizer_step_limit=9", "--compile_module_keys", "a", "b"]
    overrides, options = divide(read_arguments(words)[1], TEXT, "a.yaml")
    assert overrides == {"precision": "bf16"}
    assert options == {
        "eval_precision": "bf16",
        "optimizer_step_limit": 9,
        "compile_module_keys": ["a", "b"],
    }


def test_layers_are_counted_from_the_end():
    text = "first_layer: 0\nnumber_of_epochs: 3\n"
    arguments = read_arguments(["a.yaml", "--first_layer", "-3"])[1]
    overrides, _ = divide(arguments, text, "a.yaml")
    check_overrides(text, f"first_layer: {overrides['first_layer']}", "a.yaml")
    with pytest.raises(ValueError, match="that is not negative"):
        check_overrides(text, "number_of_epochs: -3", "a.yaml")


def test_an_interval_in_steps_replaces_the_one_in_minutes():
    overrides = {}
    one_interval(overrides, {"ckpt_interval_steps": 5}, TEXT)
    assert overrides == {"ckpt_interval_minutes": "0"}
    overrides = {"ckpt_interval_minutes": "5"}
    with pytest.raises(ValueError, match="exclude each other"):
        one_interval(overrides, {"ckpt_interval_steps": 5}, TEXT)
    for options in ({}, {"ckpt_interval_steps": 0}):
        overrides = {}
        one_interval(overrides, options, TEXT)
        assert overrides == {}


def folder(*words, processes=1):
    """The output folder of a command line."""
    overrides, options = divide(
        read_arguments(["a.yaml", *words])[1], TEXT, "a.yaml"
    )
    return name_apart(TEXT, overrides, options, processes)["output_folder"]


def test_default_folders_tell_runs_apart():
    default = folder()
    assert default == "results/seed_1"
    assert folder("--data_folder", "elsewhere", "--seed", "1") == default
    assert folder("--seed", "2") == "results/seed_2"
    assert folder("--folds", "[1, 2]") == "results/seed_1-folds_1+2"
    assert folder("--debug") != default
    assert folder("--precision", "fp32") == "results/seed_1-precision_fp32"
    assert folder("--output_folder", "x", "--precision", "fp32") == "x"
    long = folder("--folds", f"[{'9' * 300}, 1]")
    assert len(long) < 255
    assert long != folder("--folds", f"[{'9' * 300}, 2]")
    assert folder(processes=2) == "results/seed_1-processes_2"
