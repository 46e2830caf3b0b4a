"""Compares a plan with the recipes; what is unknown is named."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from speechbrain_petl.experiments.planning.recipes import RECIPES

from speechbrain.utils.run_opts import RunOptions

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
    """Refuses a name that is not known, and tells the nearest one.

    Arguments
    ---------
    names : iterable
        What is asked for.
    known : iterable
        What there is.
    what : str
        What the names are of, such as ``corpus``.
    where : str
        The file or option that has them.

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
            near = get_close_matches(str(name), map(str, known), 1)
            hint = (
                f"did you mean {near[0]}?"
                if near
                else "known are " + ", ".join(map(str, known))
            )
            raise ValueError(f"{where}: there is no {what} '{name}'; {hint}")


def known_options(yaml_file: Path) -> set[str]:
    """What the command line of a YAML takes, but for what a cell is."""
    text = yaml_file.read_text(encoding="utf-8")
    keys = set(re.findall(r"^(\w+):", text, re.M))
    return (keys | set(RunOptions().as_dict())) - set(OWN_KEYS)


def check_kinds(values: dict, where: str) -> None:
    """Refuses values of a plan's YAML that are of the wrong kind.

    Arguments
    ---------
    values : dict
        What the file says.
    where : str
        The file, for messages.

    Raises
    ------
    ValueError
        If one is not what it should be.

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
    """Whether this is a list of texts."""
    return isinstance(value, list) and all(isinstance(x, str) for x in value)


def _numbers(least, *others):
    """Checks for a list of numbers from ``least``, or one of ``others``."""
    return lambda value: (
        isinstance(value, list)
        and bool(value)
        and all(
            x in others if x is None else type(x) is int and x >= least
            for x in value
        )
    )


def _mapping(value):
    """Whether this is a mapping from texts."""
    return isinstance(value, dict) and _texts(list(value))


KINDS = {
    "title": ("a text", lambda value: isinstance(value, str)),
    "paper": ("a text or null", lambda value: isinstance(value, str | None)),
    "corpora": ("a list of names", _texts),
    "variants": ("a list", lambda value: isinstance(value, list)),
    "folds": (
        "a list of whole numbers from 1, or null for all",
        lambda value: value is None or _numbers(1)(value),
    ),
    "seeds": ("a list of whole numbers", _numbers(0)),
    "shots": (
        "a list of whole numbers from 1, or null for all clips",
        _numbers(1, None),
    ),
    "draws": ("a list of whole numbers", _numbers(0)),
    "overrides": ("a mapping of keys to values", _mapping),
    "corpus_overrides": (
        "a mapping of corpora to keys and values",
        lambda value: _mapping(value) and all(map(_mapping, value.values())),
    ),
    "data_folders": (
        "a mapping of corpora to folders",
        lambda value: _mapping(value) and _texts(list(value.values())),
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
        If a name or a label in it will not do.
    """
    require(plan.corpora, RECIPES, "corpus", where)
    require(plan.corpus_overrides, plan.corpora, "corpus of the plan", where)
    require(plan.data_folders, RECIPES, "corpus", where)
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
        yamls = sorted(path.stem for path in hparams.glob("*.yaml"))
        require(
            [variant.yaml for variant in plan.variants], yamls, "YAML", where
        )
        n_folds = RECIPES[corpus].n_folds
        if n_folds and plan.folds:
            require(
                plan.folds, range(1, n_folds + 1), f"fold of {corpus}", where
            )
        for variant in plan.variants:
            options = known_options(hparams / f"{variant.yaml}.yaml")
            given = plan.overrides_of(corpus, variant)
            require(given, options, f"option of {variant.yaml}.yaml", where)


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
