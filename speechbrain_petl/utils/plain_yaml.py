"""The plain values of a HyperPyYAML file and of a command line."""

import json
from collections.abc import Mapping
from typing import Any

from speechbrain_petl.utils.yaml_text import read_yaml


def one_value(text: str) -> str:
    """Returns YAML of the one value that a text on a command line stands for.

    A number, a list in brackets, a mapping in braces, a quoted text and a tag
    stay as they are. What YAML would read as something else than it looks
    like (a comment after ``#``, a mapping after ``:``) becomes a quoted text.

    Example
    -------
    >>> one_value("[1, 2]"), one_value("cuda:0"), one_value("/data/a #1")
    ('[1, 2]', 'cuda:0', '"/data/a #1"')
    """
    plain = text.strip()
    quoted = json.dumps(plain, ensure_ascii=False)
    if plain.startswith("!"):
        return plain
    try:
        value = read_yaml(plain, "a value")
    except ValueError:
        return quoted
    if isinstance(value, str) and not plain.startswith(("'", '"')):
        fits = value == plain
    elif value is None:
        fits = plain.lower() in ("null", "~")
    elif isinstance(value, (dict, list)):
        fits = plain.startswith("{" if isinstance(value, dict) else "[")
    else:
        fits = True
    return plain if fits else quoted


def plain_value(text: str) -> Any:
    """Returns the value of a text as from ``one_value``; None for a tag."""
    return read_yaml(text, "the command line", tags=True)


def plain_values(text: str, overrides: Mapping[str, str]) -> dict:
    """Returns the plain top-level values of a YAML under overrides.

    Arguments
    ---------
    text : str
        The YAML.
    overrides : dict of str to str
        YAML of what replaces its keys.

    Returns
    -------
    dict
        What has a tag is None.
    """
    changed = {key: plain_value(value) for key, value in overrides.items()}
    return {**read_yaml(text, "the YAML", tags=True), **changed}
