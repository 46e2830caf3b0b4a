"""What the ``corpus.yaml`` of a recipe says of its corpus."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from speechbrain_petl.experiments.planning.checks import require
from speechbrain_petl.utils.messages import name_some
from speechbrain_petl.utils.yaml_text import read_yaml

FILE = "corpus.yaml"


class Recipe(NamedTuple):
    """A folder of ``recipes``, as its ``corpus.yaml`` describes it.

    Arguments
    ---------
    title : str
        Name of the corpus, as the heading of a column.
    folds : int
        Number of folds; 0 if the splits are fixed.
    clips : list of int
        Numbers of clips to train, validate and test on, in the whole corpus;
        the mean over folds of different size.
    test_clips : int
        Number of test clips below which a run had an excerpt of the corpus.
    classes : int
        Number of classes of the whole corpus.
    upstream_task : str
        SpeechBrain's name of what the corpus is for.
    upstream_folder : str
        The corpus's folder in SpeechBrain's recipes.
    miniature : str
        Name of its miniature in ``demo/corpora.py``.
    protocol_folds : dict of str to int
        Numbers of folds where the option ``protocol`` is not the default.
    variants : list of str, optional
        Names of the YAMLs in ``hparams``, such as ``lora`` or
        ``wav2vec2/lora``; by default all those that ESC-50 has.
    settings : dict of str to dict, optional
        Keys that a YAML sets otherwise on this corpus, by its name.
    published : dict of str to dict
        Keys of the YAMLs in ``hparams/published``, by the YAML that each is
        made from.
    keeps : list of str
        Keys of ``adapter_hou_par.yaml`` that are the corpus's, though they
        are the method's elsewhere.
    leaves : list of str
        Files that a run leaves, beside those that every run does.
    """

    title: str
    folds: int
    clips: list[int]
    test_clips: int
    classes: int
    upstream_task: str
    upstream_folder: str
    miniature: str
    protocol_folds: dict[str, int] | None = None
    variants: list[str] | None = None
    settings: dict[str, dict] | None = None
    published: dict[str, dict] | None = None
    keeps: Sequence[str] = ()
    leaves: Sequence[str] = ("predictions.csv", "manifest/label_encoder.txt")

    def folds_under(self, overrides: Mapping) -> int:
        """Returns the number of folds where options of a run are set."""
        protocols = self.protocol_folds or {}
        return protocols.get(overrides.get("protocol"), self.folds)


def _text(value):
    """Returns True for a text that is not empty."""
    return isinstance(value, str) and bool(value)


def _count(value):
    """Returns True for a whole number from 1."""
    return type(value) is int and value >= 1


def _folds(value):
    """Returns True for a number of folds: a test fold needs others."""
    return type(value) is int and (value == 0 or value >= 2)


def _clips(value):
    """Returns True for the sizes of three splits."""
    return (
        isinstance(value, list) and len(value) == 3 and all(map(_count, value))
    )


def _protocols(value):
    """Returns True for a mapping of texts to numbers of folds."""
    return isinstance(value, dict) and all(
        _text(key) and _folds(n) for key, n in value.items()
    )


def _texts(value):
    """Returns True for a list of texts."""
    return isinstance(value, list) and all(map(_text, value))


def _mappings(value):
    """Returns True for a mapping of texts to mappings."""
    return isinstance(value, dict) and all(
        _text(key) and isinstance(one, dict) for key, one in value.items()
    )


# What each key should be, in words and as a function
TEXT, COUNT = ("a text", _text), ("a whole number from 1", _count)
KINDS: dict[str, tuple[str, Callable[[object], bool]]] = {
    "title": TEXT,
    "folds": ("a whole number from 2, or 0 for fixed splits", _folds),
    "clips": (
        "three whole numbers from 1: to train, validate and test on",
        _clips,
    ),
    "test_clips": COUNT,
    "classes": COUNT,
    "upstream_task": TEXT,
    "upstream_folder": TEXT,
    "miniature": TEXT,
    "protocol_folds": (
        "a mapping of protocols to whole numbers from 2, or 0",
        _protocols,
    ),
    "variants": ("a list of names", _texts),
    "settings": ("a mapping of YAMLs to keys and values", _mappings),
    "published": ("a mapping of YAMLs to keys and values", _mappings),
    "keeps": ("a list of keys", _texts),
    "leaves": ("a list of files", _texts),
}
REQUIRED = [key for key in KINDS if key not in Recipe._field_defaults]


def read_recipe(folder: str | Path) -> Recipe:
    """Reads what a recipe says of its corpus.

    Arguments
    ---------
    folder : str or Path
        The recipe's folder, such as ``recipes/ESC50``.

    Returns
    -------
    Recipe

    Raises
    ------
    ValueError
        If there is no ``corpus.yaml``, or a key of it is unknown, missing or of
        the wrong kind.

    Example
    -------
    >>> from speechbrain_petl.utils.recipes import find_recipes
    >>> read_recipe(find_recipes() / "ESC50").title
    'ESC-50'
    """
    file = Path(folder) / FILE
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ValueError(
            f"There is no {file}: write one with {name_some(REQUIRED)}."
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is no text in UTF-8: {error}") from error
    values = read_yaml(text, str(file))
    if not isinstance(values, dict):
        raise ValueError(f"{file} has no keys: give it {name_some(REQUIRED)}.")
    require(values, KINDS, "key", str(file))
    missing = [key for key in REQUIRED if key not in values]
    if missing:
        raise ValueError(f"{file} has no {name_some(missing)}: say which.")
    for key, (what, fits) in KINDS.items():
        if key in values and not fits(values[key]):
            raise ValueError(f"{file}: {key} is {what}, not {values[key]!r}")
    return Recipe(**values)


def recipe_of(yaml: Path) -> Path:
    """Finds the recipe that a YAML of its ``hparams`` belongs to.

    Arguments
    ---------
    yaml : Path
        Such as ``recipes/ESC50/hparams/wav2vec2/lora.yaml``.

    Returns
    -------
    Path
        The recipe's folder.

    Raises
    ------
    ValueError
        If the YAML is in no recipe.
    """
    for folder in yaml.resolve().parents:
        if folder.name == "hparams" and (folder.parent / "train.py").is_file():
            return folder.parent
    raise ValueError(
        f"{yaml} is in no recipe, a folder with train.py and hparams: give a "
        "YAML of one."
    )
