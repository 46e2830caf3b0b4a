"""Overrides on a command line: ``KEY=VALUE``."""

from collections.abc import Callable, Sequence

import yaml


def pairs(
    texts: Sequence[str], option: str, read: Callable = yaml.safe_load
) -> dict:
    """Reads ``KEY=VALUE``, each key once.

    Arguments
    ---------
    texts : sequence of str
        As on the command line.
    option : str
        The option, for messages.
    read : callable
        Reads a value; as YAML does by default.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If a text has no key or no value, or a key comes twice.

    Example
    -------
    >>> pairs(["lr=0.1", "device=cpu"], "--set")
    {'lr': 0.1, 'device': 'cpu'}
    """
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise ValueError(f"{option} is KEY=VALUE, not '{text}'.")
        if key in found:
            raise ValueError(f"{option} {key} is given twice: give it once.")
        found[key] = read(value)
    return found
