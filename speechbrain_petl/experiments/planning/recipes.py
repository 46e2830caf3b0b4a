"""Folds and official sizes of the recipes."""

from pathlib import Path
from typing import NamedTuple

import speechbrain_petl


class Recipe(NamedTuple):
    """A folder of ``recipes``.

    Arguments
    ---------
    title : str
        Name of the corpus, as the heading of a column.
    n_folds : int
        Number of folds; 0 if the splits are fixed.
    clips : tuple of int
        Numbers of clips to train, validate and test on, in the whole corpus;
        the mean over folds of different size.
    test_clips : int
        Number of test clips below which a run had an excerpt of the corpus.
    n_classes : int
        Number of classes of the whole corpus.
    """

    title: str
    n_folds: int
    clips: tuple[int, int, int]
    test_clips: int
    n_classes: int


RECIPES = {
    "ESC50": Recipe("ESC-50", 5, (1200, 400, 400), 400, 50),
    "UrbanSound8k": Recipe("US8K", 10, (6986, 873, 873), 806, 10),
    "GoogleSpeechCommands": Recipe("GSC", 0, (84843, 9981, 11005), 11005, 35),
    "FluentSpeechCommands": Recipe("FSC", 0, (23132, 3118, 3793), 3793, 31),
}


def find_recipes(folder: str | Path | None = None) -> Path:
    """Finds the folder with the recipes.

    Arguments
    ---------
    folder : str or Path, optional
        The folder; by default beside the library, as in a clone, or in the
        working directory.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If there are no recipes.
    """
    clone = Path(speechbrain_petl.__file__).resolve().parents[1]
    places = [Path(folder)] if folder else [clone / "recipes", Path("recipes")]
    for place in places:
        if any(place.glob("*/train.py")):
            return place.resolve()
    raise ValueError(
        f"There are no recipes in {' or '.join(map(str, places))}: give the "
        "folder of a clone that holds them as --recipes."
    )
