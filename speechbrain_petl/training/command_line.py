"""A recipe's command line: keys of its YAML, and SpeechBrain's options."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Literal, get_args, get_origin, get_type_hints

from speechbrain_petl.utils.messages import did_you_mean
from speechbrain_petl.utils.option_kinds import FROM_THE_END, check_kind
from speechbrain_petl.utils.plain_yaml import (
    one_value,
    plain_value,
    plain_values,
)
from speechbrain_petl.utils.yaml_text import read_yaml

from speechbrain.utils.run_opts import HELP_TEXTS, RunOptions

LISTS = ("jit_module_keys", "compile_module_keys")
DEFAULTS = {
    key: value
    for key, value in RunOptions().as_dict().items()
    if key in HELP_TEXTS or key in LISTS
} | {"overwrite": False}  # the launcher's own
FLAGS = [key for key, value in DEFAULTS.items() if value is False]
CHOICES = {
    key: get_args(hint)
    for key, hint in get_type_hints(RunOptions).items()
    if get_origin(hint) is Literal
}
# What a recipe's brain chooses by itself
CHOICES["precision"] = ("auto", *CHOICES["precision"])


def read_arguments(arguments: list[str]) -> tuple[str, dict[str, str]]:
    """Separates the words of a command line.

    Arguments
    ---------
    arguments : list of str
        A YAML file, and options as ``--key value`` or ``--key=value``. A flag
        of SpeechBrain's needs no value.

    Returns
    -------
    file : str
        The YAML file.
    given : dict of str to str
        Each option's value, as YAML.

    Raises
    ------
    ValueError
        If there is no file, or an option has no value or comes twice.

    Example
    -------
    >>> read_arguments(["a.yaml", "--data_folder=/a=b", "--debug"])
    ('a.yaml', {'data_folder': '/a=b', 'debug': 'True'})
    """
    file, given, words = None, [], list(arguments)
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            if file is not None:
                raise ValueError(
                    f"'{word}' belongs to no option: write --key {word}."
                )
            file = word
            continue
        key, equals, value = word[2:].partition("=")
        values = [value] if equals else []
        if key in FLAGS:
            if not equals and words and words[0].lower() in ("true", "false"):
                values = [words.pop(0)]
            values = values or ["True"]
        elif key not in DEFAULTS or key in LISTS:
            # SpeechBrain takes a list without quotes: --train_folds [1, 2]
            while words and not words[0].startswith("--"):
                values.append(words.pop(0))
        elif not equals and words and not words[0].startswith("--"):
            values = [words.pop(0)]
        text = " ".join(values).strip()
        if not text:
            raise ValueError(f"--{key} has no value: write --{key} VALUE.")
        given.append((key, one_value(text)))
    for key, times in Counter(key for key, _ in given).items():
        if times > 1:
            raise ValueError(f"--{key} is given {times} times: give it once.")
    if file is None:
        raise ValueError(
            "There is no YAML file on the command line: give one of the "
            "recipe's hparams folder first."
        )
    return file, dict(given)


def divide(
    given: Mapping[str, str], text: str, file: str
) -> tuple[dict[str, str], dict]:
    """Separates the YAML's overrides from SpeechBrain's, and checks both.

    An option that the YAML has, such as ``precision``, overrides the YAML, so
    that what is recorded of it is what runs.

    Arguments
    ---------
    given : dict of str to str
        As from ``read_arguments``.
    text : str
        The YAML.
    file : str
        Its name, for messages.

    Returns
    -------
    overrides : dict of str to str
        Keys of the YAML, and YAML of their values.
    options : dict
        SpeechBrain's, and ``overwrite``.

    Raises
    ------
    ValueError
        If an option is unknown or cannot have that value.
    """
    known = set(re.findall(r"^(\w+):", text, re.M))
    overrides = {
        key: value
        for key, value in given.items()
        if key in known or key not in DEFAULTS
    }
    check_overrides(
        text, "\n".join(f"{key}: {v}" for key, v in overrides.items()), file
    )
    options = {}
    for key in given.keys() - overrides.keys():
        value = plain_value(given[key])
        if key in LISTS:
            value = str(value).split()
        elif DEFAULTS[key] is None:
            # Of these, SpeechBrain counts with one and names the others.
            whole = key == "optimizer_step_limit"
            check_kind(f"--{key}", 1 if whole else "cpu", value)
            value = value if whole else str(value)
        else:
            check_kind(f"--{key}", DEFAULTS[key], value)
        options[key] = value
    for key, value in given.items():
        value = plain_value(value)
        if key in CHOICES and value not in CHOICES[key]:
            raise ValueError(
                f"--{key} is one of {', '.join(CHOICES[key])}, not {value!r}."
            )
    return overrides, options


def one_interval(overrides: dict, options: dict, text: str) -> None:
    """Settles which of the two intervals between checkpoints holds.

    SpeechBrain takes one of them. The one on the command line wins over the
    YAML's.

    Arguments
    ---------
    overrides : dict of str to str
        Keys of the YAML; the other interval is set to 0 in it.
    options : dict
        SpeechBrain's options.
    text : str
        The YAML.

    Raises
    ------
    ValueError
        If the command line has both.

    Example
    -------
    >>> overrides = {}
    >>> one_interval(
    ...     overrides, {"ckpt_interval_steps": 5}, "ckpt_interval_minutes: 15"
    ... )
    >>> overrides
    {'ckpt_interval_minutes': '0'}
    """
    intervals = ("ckpt_interval_steps", "ckpt_interval_minutes")
    values = {**plain_values(text, overrides), **options}
    if not all((values.get(key) or 0) > 0 for key in intervals):
        return
    given = [key for key in intervals if key in overrides or key in options]
    if len(given) != 1:
        raise ValueError(
            f"--{' and --'.join(intervals)} exclude each other: give one, or "
            "set the other to 0."
        )
    (other,) = set(intervals) - set(given)
    overrides[other] = "0"


def check_overrides(text: str, overrides: str, file: str) -> None:
    """Refuses overrides that the YAML does not have or cannot take.

    Arguments
    ---------
    text : str
        The YAML.
    overrides : str
        YAML of the overrides.
    file : str
        Name of the YAML, for messages.

    Raises
    ------
    ValueError
        If one is unknown (the nearest name is told), given twice, of another
        kind than the value it overrides, or negative where that is not.

    Example
    -------
    >>> check_overrides("lr: 0.1", "lr: 0.2", "a.yaml")
    >>> check_overrides("lr: 0.1", "rl: 0.2", "a.yaml")
    Traceback (most recent call last):
    ...
    ValueError: There is no option --rl of a.yaml; did you mean --lr?
    """
    known = re.findall(r"^(\w+):", text, re.M)
    given = re.findall(r"^([^\s:]+):", overrides, re.M)
    for key, times in Counter(given).items():
        if key not in known:
            near = did_you_mean(key, [*known, *DEFAULTS], prefix="--")
            raise ValueError(
                f"There is no option --{key} of {file}; "
                f"{near or 'see its keys.'}"
            )
        if times > 1:
            raise ValueError(f"--{key} is given {times} times: give it once.")
    defaults = read_yaml(text, file, tags=True)
    changes = read_yaml(overrides, "the command line", tags=True) or {}
    for key, value in changes.items():
        negative = key in FROM_THE_END
        check_kind(f"--{key}", defaults[key], value, negative)
