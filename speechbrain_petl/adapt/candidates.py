"""What a search tries: methods of the recipe, their widths, learning rates."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from speechbrain_petl.adapt.recipe import LINEAR, Recipe
from speechbrain_petl.adapt.request import AUTO, Request
from speechbrain_petl.utils.plain_yaml import plain_values
from speechbrain_petl.utils.settings import NEUTRAL

# Most promising first: where the time is short, the last ones are left out.
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
    """

    name: str
    method: str
    overrides: dict[str, Any]
    cost: float
    parameters: int


def make_candidates(
    recipe: Recipe, request: Request, given: dict[str, Any]
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

    Returns
    -------
    list of Candidate
        The most promising first; none if only a linear probe is asked for.

    Raises
    ------
    ValueError
        If a method that is asked for cannot be as small as that.
    """
    if request.method == LINEAR:
        return []
    found = []
    built: dict[str, tuple] = {}
    for method, rate in _pairs(recipe, request):
        if method not in built:
            built[method] = _fit(recipe, method, request, given)
        widths, cost, parameters = built[method]
        if parameters > request.params and request.method != AUTO:
            raise ValueError(
                f"'{method}' trains {parameters:,} parameters at least, and "
                f"{request.params:,} are allowed: allow more by --params, or "
                "choose another --method."
            )
        if parameters <= request.params:
            name = f"{method.replace('/', '_')}-lr_{rate:g}"
            overrides = {**given, **widths, "lr": rate}
            found.append(Candidate(name, method, overrides, cost, parameters))
    return found


def _pairs(recipe: Recipe, request: Request) -> Iterable[tuple[str, float]]:
    """Yields methods and learning rates."""
    if request.method == AUTO:
        yield from ((m, rate) for m, rate in TRIED if recipe.has(m))
        return
    values = _values(recipe, request.method)
    for share in RATES:
        yield request.method, round(values["lr"] * share, 10)


def _values(recipe, method):
    """Returns the plain values of a method's YAML."""
    text = recipe.file(method).read_text(encoding="utf-8")
    return plain_values(text, {})


def _fit(recipe, method, request, given):
    """Returns widths within the limit, the cost of a step, and what trains."""
    keys = [k for k in _values(recipe, method) if k.endswith(WIDTH_KEYS)]
    widths: dict[str, int] = {}
    while True:
        made = recipe.modules(method, {**given, **widths})
        size = made["backbone"].config.hidden_size
        if keys and not widths:
            widths = dict.fromkeys(keys, max(1, size // WIDTH))
            continue
        counts = made["encoder"].count_parameters()
        total = sum(counts.values())
        narrower = {key: 2 * rate for key, rate in widths.items()}
        if total <= request.params or not keys or size // narrower[keys[0]] < 1:
            return widths, _cost(made), total
        widths = narrower


def _cost(made):
    """Returns the time of a training step, in forward passes.

    Nothing goes backward through the layers below the first that trains.
    """
    n_layers = made["backbone"].config.num_hidden_layers
    names = [name.split(".") for name in made["encoder"].delta()]
    layers = [int(n[1]) for n in names if len(n) > 2 and n[1].isdecimal()]
    first = min(layers, default=n_layers)
    return 1 + BACKWARD * (n_layers - first) / n_layers


def neutral(overrides: dict[str, Any]) -> dict[str, Any]:
    """Returns overrides that change what is computed, for people to read."""
    return {k: v for k, v in overrides.items() if k not in NEUTRAL}
