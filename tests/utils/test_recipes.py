"""The recipes are found where they are."""

import pytest
from speechbrain_petl.utils.recipes import corpora_in, find_recipes


def test_a_folder_without_recipes(tmp_path):
    with pytest.raises(ValueError, match="no recipes in .*--recipes"):
        find_recipes(tmp_path / "elsewhere")


def test_the_working_folder_comes_before_those_of_an_installation(
    tmp_path, monkeypatch
):
    import speechbrain_petl

    package = tmp_path / "site" / "speechbrain_petl"
    monkeypatch.setattr(speechbrain_petl, "__file__", str(package / "x.py"))
    monkeypatch.chdir(tmp_path)
    for place in (package / "recipes" / "ESC50", tmp_path / "recipes" / "Own"):
        place.mkdir(parents=True)
        (place / "train.py").touch()
    assert corpora_in(find_recipes()) == ["Own"]
    assert corpora_in(find_recipes(working=False)) == ["ESC50"]
    assert find_recipes(package / "recipes") == package / "recipes"
