"""The recipes are found, and what each says of its corpus is read strictly."""

import pytest
from speechbrain_petl.demo.corpora import MINIATURES
from speechbrain_petl.experiments.planning.recipes import FILE, read_recipe
from speechbrain_petl.utils.recipes import corpora_in, find_recipes

CORPORA = corpora_in(find_recipes())


@pytest.mark.parametrize("corpus", CORPORA)
def test_each_recipe_says_what_its_corpus_is(corpus):
    found = read_recipe(find_recipes() / corpus)
    assert found.miniature in MINIATURES
    trials = "scores.csv" in found.leaves  # which are then counted
    assert found.test_clips <= found.clips[2] or trials


def test_the_sizes_are_the_corpora_s():
    read = {name: read_recipe(find_recipes() / name) for name in CORPORA}
    assert sum(read["ESC50"].clips) == 2000 and read["ESC50"].folds == 5
    assert sum(read["UrbanSound8k"].clips) == 8732
    assert sum(read["GoogleSpeechCommands"].clips) == 105829
    assert sum(read["FluentSpeechCommands"].clips) == 30043


@pytest.mark.parametrize(
    "old, new, message",
    [
        (
            "title: ESC-50",
            "titlee: ESC-50",
            "no key 'titlee'; did you mean title",
        ),
        ("classes: 50", "", "has no classes: say which"),
        (
            "folds: 5",
            "folds: 1",
            "folds is a whole number from 2, or 0 .*not 1",
        ),
        ("folds: 5", "folds: true", "folds is .*, not True"),
        ("[1200, 400, 400]", "[1200, 400]", r"clips is three .*\[1200, 400\]"),
        ("test_clips: 400", "test_clips: all", "test_clips is .* 1, not 'all'"),
        ("miniature: esc50", "miniature:", "miniature is a text, not None"),
        ("folds: 5", "variants: lora\nfolds: 5", "variants is a list of names"),
        ("folds: 5", "settings: [lr]\nfolds: 5", "settings is a mapping of YA"),
        ("folds: 5", "keeps: [1]\nfolds: 5", r"keeps is a list .*, not \[1\]"),
        ("folds: 5", "folds: 5\nfolds: 6", "cannot be read as YAML"),
        ("folds: 5", "folds: !new:os.remove [x]", "cannot be read as YAML"),
    ],
)
def test_a_bad_line_is_named(old, new, message, tmp_path):
    text = (find_recipes() / "ESC50" / FILE).read_text()
    assert old in text
    (tmp_path / FILE).write_text(text.replace(old, new))
    with pytest.raises(ValueError, match=message) as found:
        read_recipe(tmp_path)
    assert str(tmp_path / FILE) in str(found.value)


def test_what_is_no_corpus_yaml(tmp_path):
    with pytest.raises(
        ValueError, match="There is no .*: write one with title"
    ):
        read_recipe(tmp_path)
    (tmp_path / FILE).write_text("")
    with pytest.raises(ValueError, match="has no keys: give it title"):
        read_recipe(tmp_path)
    (tmp_path / FILE).write_bytes(b"title: \xff")
    with pytest.raises(ValueError, match="no text in UTF-8"):
        read_recipe(tmp_path)
