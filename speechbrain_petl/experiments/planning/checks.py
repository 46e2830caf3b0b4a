"""Compares a plan with the recipes, and names what is unknown."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from speechbrain_petl.utils.messages import did_you_mean
from speechbrain_petl.utils.option_kinds import FROM_THE_END, check_kind
from speechbrain_petl.utils.plain_yaml import one_value, plain_value
from speechbrain_petl.utils.run_options import run_options
from speechbrain_petl.utils.yaml_text import read_yaml

# What a cell is, and what no override may therefore say again
OWN_KEYS = (
    "data_folder",
    "output_folder",
    "seed",
    "test_fold",
    "shots",
    "draw",
)


def require(names: Iterable, known: Iterable, what: str, where: str) -> None:
    """Refuses an unknown name, and suggests the nearest known one.

    Arguments
    ---------
    names : iterable
        Names to check.
    known : iterable
        Known names.
    what : str
        Kind of the names, such as ``corpus``, for the message.
    where : str
        File or option with the names, for the message.

    Raises
    ------
    ValueError
        If one of the names is not known.

    Example
    -------
    >>> require(["loar"], ["lora", "dpt"], "YAML", "plan.yaml")
    Traceback (most recent call last):
    ...
    ValueError: plan.yaml: there is no YAML 'loar'; did you mean lora?
    """
    known = list(known)
    for name in names:
        if name not in known:
            listed = f"known are {', '.join(map(str, known))}"
            hint = did_you_mean(name, known) or listed
            raise ValueError(f"{where}: there is no {what} '{name}'; {hint}")


def known_options(yaml_file: Path) -> set[str]:
    """Returns the options of a YAML, without those that define a cell."""
    text = yaml_file.read_text(encoding="utf-8")
    keys = set(re.findall(r"^(\w+):", text, re.M))
    return (keys | set(run_options())) - set(OWN_KEYS)


def check_values(overrides: Mapping, yaml_file: Path, where: str) -> None:
    """Refuses values that a YAML cannot take.

    Arguments
    ---------
    overrides : mapping of str to object
        Known options of the YAML, and their values.
    yaml_file : Path
        The YAML.
    where : str
        The plan's file, for messages.

    Raises
    ------
    ValueError
        If a value is of another kind than the one that it replaces.
    """
    text = yaml_file.read_text(encoding="utf-8")
    defaults = run_options() | read_yaml(text, str(yaml_file), tags=True)
    for key, value in overrides.items():
        # As train.py gets it, in words
        value = plain_value(one_value("null" if value is None else str(value)))
        negative = key in FROM_THE_END
        check_kind(f"{where}: {key}", defaults[key], value, negative)


def check_kinds(values: dict, where: str) -> None:
    """Refuses values of the wrong kind in the YAML of a plan.

    Arguments
    ---------
    values : dict
        Content of the file.
    where : str
        The file, for messages.

    Raises
    ------
    ValueError
        If a value is of the wrong kind.

    Example
    -------
    >>> check_kinds({"folds": 1}, "plan.yaml")
    Traceback (most recent call last):
    ...
    ValueError: plan.yaml: folds is a list of whole numbers from 1, or null for all, not 1
    """
    for key, (what, fits) in KINDS.items():
        if key in values and not fits(values[key]):
            raise ValueError(f"{where}: {key} is {what}, not {values[key]!r}")


def _texts(value):
    """Returns True for a list of texts."""
    return isinstance(value, list) and all(isinstance(x, str) for x in value)


def _numbers(value, least):
    """Returns True for a list, not empty, of whole numbers from ``least``."""
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(type(x) is int and x >= least for x in value)
    )


def _folds(value):
    """Returns True for a list of folds, or None for all."""
    return value is None or _numbers(value, least=1)


def _seeds(value):
    """Returns True for a list of seeds."""
    return _numbers(value, least=0)


def _shots(value):
    """Returns True for a list of numbers of clips, with None for all."""
    if not isinstance(value, list) or not value:
        return False
    given = [number for number in value if number is not None]
    return not given or _numbers(given, least=1)


def _mapping(value):
    """Returns True for a mapping from texts."""
    return isinstance(value, dict) and _texts(list(value))


def _mappings(value):
    """Returns True for a mapping from texts to such mappings."""
    return _mapping(value) and all(map(_mapping, value.values()))


def _search(value):
    """Returns True for a budget and a space, or None."""
    if value is None:
        return True
    known = {"trials", "seconds", "fold", "seed", "space"}
    if not _mapping(value) or not set(value) <= known:
        return False
    trials, seconds = value.get("trials"), value.get("seconds")
    limit = type(seconds) in (int, float) and seconds > 0
    return (
        type(trials) is int
        and trials > 0
        and (seconds is None or limit)
        and _mapping(value.get("space"))
        and all(
            value.get(k) is None or type(value[k]) is int
            for k in ("fold", "seed")
        )
    )


def _folders(value):
    """Returns True for a mapping from texts to texts."""
    return _mapping(value) and _texts(list(value.values()))


def _text(value):
    """Returns True for a text."""
    return isinstance(value, str)


def _text_or_none(value):
    """Returns True for a text or None."""
    return value is None or isinstance(value, str)


def _list(value):
    """Returns True for a list."""
    return isinstance(value, list)


# What each key of a plan should be, in words and as a function
KINDS: dict[str, tuple[str, Callable[[object], bool]]] = {
    "title": ("a text", _text),
    "paper": ("a text or null", _text_or_none),
    "corpora": ("a list of names", _texts),
    "variants": ("a list", _list),
    "folds": ("a list of whole numbers from 1, or null for all", _folds),
    "seeds": ("a list of whole numbers", _seeds),
    "shots": (
        "a list of whole numbers from 1, or null for all clips",
        _shots,
    ),
    "draws": ("a list of whole numbers", _seeds),
    "overrides": ("a mapping of keys to values", _mapping),
    "corpus_overrides": (
        "a mapping of corpora to keys and values",
        _mappings,
    ),
    "data_folders": ("a mapping of corpora to folders", _folders),
    "search": (
        "a mapping with trials (from 1) and space, and perhaps seconds, fold "
        "and seed, or null",
        _search,
    ),
}


def check_plan(plan, recipes: Path, where: str) -> None:
    """Compares a plan with the recipes.

    Arguments
    ---------
    plan : Plan
        The plan.
    recipes : Path
        The folder with the recipes.
    where : str
        The plan's file, for messages.

    Raises
    ------
    ValueError
        If a name is unknown or a label cannot be used.
    """
    require(plan.corpus_overrides, plan.corpora, "corpus of the plan", where)
    labels = [variant.label for variant in plan.variants]
    for label in labels:
        if labels.count(label) > 1:
            raise ValueError(f"{where}: two variants are called '{label}'.")
        if not re.fullmatch(r"[\w.+-]+", label):
            raise ValueError(
                f"{where}: the label '{label}' names a folder, so give it "
                "letters, digits and _ . + - only."
            )
    for corpus in plan.corpora:
        hparams = recipes / corpus / "hparams"
        yamls = sorted(
            path.relative_to(hparams).with_suffix("").as_posix()
            for path in hparams.rglob("*.yaml")
        )
        require(
            [variant.yaml for variant in plan.variants], yamls, "YAML", where
        )
        for variant in plan.variants:
            overrides = plan.overrides_of(corpus, variant)
            n_folds = plan.recipes[corpus].folds_under(overrides)
            if n_folds and plan.folds:
                known = range(1, n_folds + 1)
                require(plan.folds, known, f"fold of {corpus}", where)
            options = known_options(hparams / f"{variant.yaml}.yaml")
            require(overrides, options, f"option of {variant.yaml}.yaml", where)
            check_values(overrides, hparams / f"{variant.yaml}.yaml", where)


def check_own(plan, overrides: Iterable[str], where: str) -> None:
    """Refuses overrides of all runs that some runs would not take.

    Arguments
    ---------
    plan : Plan
        The plan.
    overrides : iterable of str
        Keys that are to be overridden in all runs.
    where : str
        The option that gives them, for messages.

    Raises
    ------
    ValueError
        If a corpus or a variant of the plan has a value of its own.
    """
    owners = {f"corpus {c}": plan.corpus_overrides.get(c) for c in plan.corpora}
    owners |= {f"variant {v.label}": v.overrides for v in plan.variants}
    for key in overrides:
        for owner, own in owners.items():
            if key in (own or {}):
                raise ValueError(
                    f"{where} {key}: {owner} of the plan has a {key} of its "
                    "own; write a plan that says both."
                )
