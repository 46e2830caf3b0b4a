"""What a plan has to know of the recipes: folds and official sizes."""

from pathlib import Path
from typing import NamedTuple

import speechbrain_petl


class Recipe(NamedTuple):
    """A folder of ``recipes``.

    Arguments
    ---------
    title : str
        The corpus, as a table heads its column.
    n_folds : int
        How many folds it is tested on; 0 if its splits are fixed.
    clips : tuple of int
        Clips that train, validate and test, in the whole corpus; of folds
        that differ, their mean.
    test_clips : int
        A run that tests fewer had an excerpt of the corpus.
    n_classes : int
        In the whole corpus.
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
    """The folder with the recipes.

    Arguments
    ---------
    folder : str or Path, optional
        Where they are. By default beside the library, as in a clone, or in
        the working directory.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If they are not there.
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
