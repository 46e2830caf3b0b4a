"""What a search tries: methods of the recipe, their widths, learning rates."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from speechbrain_petl.adapt.recipe import LINEAR, Recipe
from speechbrain_petl.adapt.request import AUTO, Request
from speechbrain_petl.utils.plain_yaml import plain_values

# Most promising first: where the time is short, the last ones are left out.
LEARNERS = (
    ("l_adapters", 0.001),
    ("weighted_sum", 0.01),
    ("ladder", 0.001),
    ("l_adapters", 0.005),
    ("weighted_sum", 0.001),
    ("ladder", 0.005),
)
TRIED = (
    ("adapter_hou_par", 0.005),
    ("upper/adapter_hou_par", 0.005),
    ("lora", 0.005),
    ("adapter_hou_par", 0.001),
    ("upper/adapter_hou_par", 0.001),
    ("lora", 0.001),
)
RATES = (1.0, 0.2)  # of the YAML's learning rate, for a method that is named
WIDTH = 16  # units of a bottleneck, ranks of LoRA: at most these
WIDTH_KEYS = "reduction_rate"  # how the keys of such widths end
SIZE, SIZES = "size", 32  # of L-adapters' outputs: times the units
# What a learner needs beside: states that are the same in each epoch
STORED = {"stored_states": "fp32", "freq_mask": 0, "time_mask": 0}
# An epoch on stored states, in forward passes
STORED_COST = {"pooled": 0.02, "tokens": 0.3}
MOST_STATES = 4e9  # bytes: more would be read slower than computed
BACKWARD = 2.0  # what a backward pass takes, in forward passes


class Candidate(NamedTuple):
    """A method with a learning rate.

    Arguments
    ---------
    name : str
        Name of it, and of its folder.
    method : str
        Name of the YAML for this backbone.
    overrides : dict
        Keys of the YAML.
    cost : float
        Time of a training step, in forward passes.
    parameters : int
        What trains, without the head.
    stored : bool
        Whether it reads states of the backbone that are computed once.
    """

    name: str
    method: str
    overrides: dict[str, Any]
    cost: float
    parameters: int
    stored: bool = False


def make_candidates(
    recipe: Recipe,
    request: Request,
    given: dict[str, Any],
    n_clips: int,
    say: Callable[[str], None],
) -> list[Candidate]:
    """Makes what is to be tried, each within the limit of parameters.

    Arguments
    ---------
    recipe : Recipe
        The YAMLs.
    request : Request
        The method, or ``auto``, and the limit.
    given : dict
        Overrides of all of them.
    n_clips : int
        Number of clips whose states may be stored.
    say : callable
        Is told which methods the backbone cannot have, of those of ``auto``.

    Returns
    -------
    list of Candidate
        The most promising first; none if only a linear probe is asked for.

    Raises
    ------
    ValueError
        If a method that is asked for cannot be as small as that, or cannot
        be built on the backbone.
    """
    if request.method == LINEAR:
        return []
    linear = recipe.modules(LINEAR, given)
    size = linear["backbone"].config.hidden_size
    found = []
    built: dict[str, tuple | None] = {}
    for method, rate in _pairs(recipe, request):
        if method not in built:
            try:
                built[method] = _fit(
                    recipe, method, size, request, given, n_clips
                )
            except ValueError as error:
                if request.method != AUTO:
                    raise
                say(f"{method} is left out: {error}")
                built[method] = None
        fitted = built[method]
        if fitted is None:
            continue
        own, cost, parameters, stored = fitted
        if parameters > request.params and request.method != AUTO:
            raise ValueError(
                f"'{method}' trains {parameters:,} parameters at least, and "
                f"{request.params:,} are allowed: allow more by --params, or "
                "choose another --method."
            )
        if parameters <= request.params and cost is not None:
            name = f"{method.replace('/', '_')}-lr_{rate:g}"
            overrides = {**given, **own, "lr": rate}
            found.append(
                Candidate(name, method, overrides, cost, parameters, stored)
            )
    return found


def _pairs(recipe: Recipe, request: Request) -> Iterable[tuple[str, float]]:
    """Yields methods and learning rates."""
    if request.method == AUTO:
        tried = (*LEARNERS, *TRIED)
        yield from ((m, rate) for m, rate in tried if recipe.has(m))
        return
    values = _values(recipe, request.method)
    for share in RATES:
        yield request.method, round(values["lr"] * share, 10)


def _values(recipe, method):
    """Returns the plain values of a method's YAML."""
    text = recipe.file(method).read_text(encoding="utf-8")
    return plain_values(text, {})


def _fit(recipe, method, size, request, given, n_clips):
    """Returns what a method is given, the cost of a step, and what trains.

    It has as many units as the limit allows. The cost is None for a learner
    whose states are too many to be stored.
    """
    keys = [k for k in _values(recipe, method) if is_width(k)]
    units, made = WIDTH, None
    while True:
        own: dict[str, Any] = widths(keys, size, units)
        try:
            made = recipe.modules(method, {**given, **own})
        except ValueError:
            if made is None:
                raise
            break  # a side network has a width for each of its heads
        total = sum(made["encoder"].count_parameters().values())
        if total <= request.params or not keys or units == 1:
            break
        units //= 2
    learner = made["encoder"].learner
    if learner is None:
        return own, _cost(made), total, False
    fits = n_clips * _state_bytes(made) <= MOST_STATES
    cost = STORED_COST[learner.reads] if fits else None
    return {**own, **STORED}, cost, total, True


@torch.no_grad()
def _state_bytes(made):
    """Returns the bytes of what a learner reads of a clip."""
    front_end, lens = made["compute_features"].eval(), torch.ones(1)
    inputs = front_end(torch.zeros(1, front_end.clip_samples), lens)
    states = made["encoder"].eval().layer_states(inputs, lens)
    return 4 * states.numel()


def is_width(key: str) -> bool:
    """Returns True for a key that says how much of a method trains."""
    return key.endswith(WIDTH_KEYS) or key == SIZE


def widths(keys: Iterable[str], size: int, units: int) -> dict[str, int]:
    """Returns the keys of a method with so many units.

    Example
    -------
    >>> widths(["lora_reduction_rate", "size"], 192, 16)
    {'lora_reduction_rate': 12, 'size': 512}
    """
    return {
        key: SIZES * units if key == SIZE else max(1, size // units)
        for key in keys
    }


def _cost(made):
    """Returns the time of a training step, in forward passes.

    Nothing goes backward through the layers below the first that trains.
    """
    n_layers = made["backbone"].config.num_hidden_layers
    names = [name.split(".") for name in made["encoder"].delta()]
    layers = [int(n[1]) for n in names if len(n) > 2 and n[1].isdecimal()]
    first = min(layers, default=n_layers)
    return 1 + BACKWARD * (n_layers - first) / n_layers
