"""The space of a search: a range or a choice for each key."""

import math
from collections.abc import Mapping
from typing import Any

from speechbrain_petl.experiments.planning.overrides import as_text, pairs


def read_space(given: list[str] | Mapping[str, Any]) -> dict[str, tuple]:
    """Reads what to search.

    Arguments
    ---------
    given : list of str or mapping
        Values of the option: ``KEY=LOW:HIGH``, ``KEY=log:LOW:HIGH``,
        ``KEY=int:LOW:HIGH`` or ``KEY=A,B,...``; or a mapping from keys to
        what follows. In a mapping, ``{NAME: {KEY: VALUE, ...}, ...}`` is a
        choice between several settings at once.

    Returns
    -------
    dict of str to tuple
        By key: ``(scale, low, high)``, the scale being ``linear``, ``log`` or
        ``int``, ``("choice", values)``, or ``("settings", overrides by
        name)``.

    Raises
    ------
    ValueError
        If a text is none of them.

    Example
    -------
    >>> read_space(["lr=log:1e-4:1e-1", "n_prompts=int:5:50"])
    {'lr': ('log', 0.0001, 0.1), 'n_prompts': ('int', 5, 50)}
    >>> read_space(["reduction_rate=32,64", "pooling=mean,cls"])["pooling"]
    ('choice', ['mean', 'cls'])
    """
    found = (
        given
        if isinstance(given, Mapping)
        else pairs(given, "--space", as_text)
    )
    return {
        key: ("settings", dict(value))
        if isinstance(value, Mapping)
        else _range(str(value))
        for key, value in found.items()
    }


def keys_of(space: Mapping[str, tuple]) -> list[str]:
    """Lists the keys that a space sets.

    Example
    -------
    >>> keys_of(read_space({"a": "1,2", "b": {"on": {"c": 1}, "off": {}}}))
    ['a', 'c']
    """
    found: dict[str, None] = {}
    for key, (kind, *rest) in space.items():
        inside = rest[0].values() if kind == "settings" else [{key: None}]
        for overrides in inside:
            found.update(dict.fromkeys(overrides))
    return list(found)


def overrides_of(
    params: Mapping[str, Any], space: Mapping[str, tuple]
) -> dict[str, Any]:
    """Returns the overrides that a trial's parameters stand for.

    Arguments
    ---------
    params : mapping
        A value for each key of the space.
    space : mapping
        As from ``read_space``.
    """
    found = {}
    for key, value in params.items():
        kind, *rest = space[key]
        found.update(rest[0][value] if kind == "settings" else {key: value})
    return found


def _range(text):
    """Returns what to search for one key."""
    if ":" not in text and "," in text:
        return "choice", [_value(choice) for choice in text.split(",")]
    scale, *ends = text.split(":")
    if scale not in ("log", "int"):
        scale, ends = "linear", [scale, *ends]
    kinds = int if scale == "int" else (int, float)
    ends = [_value(end) for end in ends]
    if (
        len(ends) != 2
        or not all(isinstance(end, kinds) for end in ends)
        or not ends[0] < ends[1] < math.inf
        or (scale == "log" and ends[0] <= 0)
    ):
        raise ValueError(
            "--space is KEY=LOW:HIGH, KEY=log:LOW:HIGH, KEY=int:LOW:HIGH or "
            f"KEY=A,B, with LOW below HIGH, not '{text}'."
        )
    return scale, *ends


def _value(text):
    """Returns a number if the text is one, else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def suggest(trial, space: Mapping[str, tuple]) -> dict:
    """Draws a point of the space by a trial of Optuna.

    Arguments
    ---------
    trial : optuna.Trial
        The trial.
    space : dict of str to tuple
        As from ``read_space``.

    Returns
    -------
    dict
        A value for each key; see ``overrides_of``.
    """
    point = {}
    for key, (kind, *rest) in space.items():
        if kind in ("choice", "settings"):
            point[key] = trial.suggest_categorical(key, list(rest[0]))
        elif kind == "int":
            point[key] = trial.suggest_int(key, *rest)
        else:
            point[key] = trial.suggest_float(key, *rest, log=kind == "log")
    return point
