"""Reads YAML 1.2 as data, as hyperpyyaml does.

YAML 1.1, which other readers take, has ``1e-3`` for a text, ``010`` for 8 and
``on`` for true.
"""

from typing import Any

from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.constructor import SafeConstructor


class PlainConstructor(SafeConstructor):
    """Constructs plain values; what has a tag becomes None."""


PlainConstructor.add_multi_constructor("!", lambda *_: None)


def read_yaml(text: str, source: str, tags: bool = False) -> Any:
    """Reads one YAML document.

    Arguments
    ---------
    text : str
        The document.
    source : str
        Where it is from, for messages: a file or an option.
    tags : bool
        If True, reads a value with a tag, such as ``!new:``, as None instead
        of refusing it.

    Returns
    -------
    None, bool, int, float, str, list or dict

    Raises
    ------
    ValueError
        If it is no YAML, or has a tag or a key twice.

    Example
    -------
    >>> read_yaml("{lr: 1e-3, on: [1, 2]}", "a.yaml")
    {'lr': 0.001, 'on': [1, 2]}
    >>> read_yaml("lr: !ref <x>", "a.yaml", tags=True)
    {'lr': None}
    """
    reader = YAML(typ="safe", pure=True)
    if tags:
        reader.Constructor = PlainConstructor
    try:
        return reader.load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{source} cannot be read as YAML: {reason}"
        ) from error
