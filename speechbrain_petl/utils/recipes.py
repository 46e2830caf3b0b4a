"""Where the recipes are: in a clone, or as an installation brings them."""

from pathlib import Path

import speechbrain_petl


def corpora_in(recipes: Path) -> list[str]:
    """Returns the names of the folders of recipes that can be trained."""
    return sorted(file.parent.name for file in recipes.glob("*/train.py"))


def find_recipes(
    folder: str | Path | None = None, working: bool = True
) -> Path:
    """Finds the folder with the recipes.

    Arguments
    ---------
    folder : str or Path, optional
        The folder; by default beside the library, as in a clone, in the
        working directory, or those that an installation brings.
    working : bool
        If False, does not look in the working directory.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If there are no recipes.
    """
    clone = Path(speechbrain_petl.__file__).resolve().parents[1]
    brought = Path(speechbrain_petl.__file__).resolve().parent / "recipes"
    places = [clone / "recipes", *[Path("recipes")] * working, brought]
    places = [Path(folder)] if folder else places
    for place in places:
        if any(place.glob("*/train.py")):
            return place.resolve()
    raise ValueError(
        f"There are no recipes in {' or '.join(map(str, places))}: give the "
        "folder of a clone that holds them as --recipes."
    )
