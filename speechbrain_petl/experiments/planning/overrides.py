"""Overrides on a command line: ``KEY=VALUE``."""

from collections.abc import Callable, Sequence

from speechbrain_petl.utils.yaml_text import read_yaml


def pairs(
    texts: Sequence[str],
    option: str,
    read: Callable[[str, str], object] = read_yaml,
) -> dict:
    """Reads ``KEY=VALUE``, each key once.

    Arguments
    ---------
    texts : sequence of str
        Values of the option.
    option : str
        Name of the option, for messages.
    read : callable
        Reads a value, given the option for messages; as YAML by default.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If a text has no key or no value, or a key comes twice.

    Example
    -------
    >>> pairs(["lr=1e-3", "device=cpu"], "--set")
    {'lr': 0.001, 'device': 'cpu'}
    """
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise ValueError(f"{option} is KEY=VALUE, not '{text}'.")
        if key in found:
            raise ValueError(f"{option} {key} is given twice: give it once.")
        found[key] = read(value, f"{option} {key}")
    return found


def as_text(value: str, option: str) -> str:
    """Reads the value of an option as the text that it is."""
    del option
    return value
