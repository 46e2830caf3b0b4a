"""The space of a search: a range or a choice for each key."""

import math
from collections.abc import Mapping

from speechbrain_petl.experiments.planning.overrides import as_text, pairs


def read_space(texts: list[str]) -> dict[str, tuple]:
    """Reads what to search.

    Arguments
    ---------
    texts : list of str
        Values of the option: ``KEY=LOW:HIGH``, ``KEY=log:LOW:HIGH``,
        ``KEY=int:LOW:HIGH`` or ``KEY=A,B,...``.

    Returns
    -------
    dict of str to tuple
        By key: ``(scale, low, high)``, the scale being ``linear``, ``log`` or
        ``int``, or ``("choice", values)``.

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
    found = pairs(texts, "--space", as_text)
    return {key: _range(text) for key, text in found.items()}


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
        A value for each key.
    """
    point = {}
    for key, (kind, *rest) in space.items():
        if kind == "choice":
            point[key] = trial.suggest_categorical(key, rest[0])
        elif kind == "int":
            point[key] = trial.suggest_int(key, *rest)
        else:
            point[key] = trial.suggest_float(key, *rest, log=kind == "log")
    return point
