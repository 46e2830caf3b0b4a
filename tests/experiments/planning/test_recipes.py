"""The recipes are found beside the library, or where they are said to be."""

import pytest
from speechbrain_petl.experiments.planning.recipes import RECIPES, find_recipes


def test_each_recipe_is_known():
    found = {file.parent.name for file in find_recipes().glob("*/train.py")}
    assert set(RECIPES) <= found


def test_a_folder_without_recipes(tmp_path):
    with pytest.raises(ValueError, match="no recipes in .*--recipes"):
        find_recipes(tmp_path / "elsewhere")
