"""``recipe``: lists the recipes, and copies one that runs where it lies."""

import os
import re
import stat

import pytest
from speechbrain_petl.cli.main import main
from speechbrain_petl.cli.recipes import copy_recipe
from speechbrain_petl.utils.recipes import corpora_in, find_recipes


def test_all_are_listed(capsys):
    assert main(["recipe"]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines]
    assert names == corpora_in(find_recipes())
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize("name", corpora_in(find_recipes()))
def test_a_copy_is_whole(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["recipe", name]) == 0
    said = capsys.readouterr().out
    assert "train.py hparams/linear.yaml" in said
    copied = {
        p.relative_to(tmp_path / name) for p in (tmp_path / name).rglob("*")
    }
    recipe = find_recipes() / name
    needed = {
        path.relative_to(recipe)
        for pattern in ("*.*", "hparams/**/*.yaml")
        for path in recipe.glob(pattern)
        if not path.name.startswith(".") and path.is_file()
    }
    assert needed <= copied and len(needed) > 10
    names = {str(path) for path in copied}
    assert {"train.py", "README.md", "corpus.yaml"} <= names
    assert {"extra_requirements.txt", "hparams/linear.yaml"} <= names
    assert any(one.endswith("_prepare.py") for one in names)
    page = (tmp_path / name / "README.md").read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)", page):
        there = (tmp_path / name / link).exists()
        assert link.startswith("http") or there, link
    before = (recipe / "README.md").read_text(encoding="utf-8")
    assert ("](../" in before) == ("## This copy" in page)
    for text in re.findall(r"\[([^\]]+)\]\(\.\./", before):
        assert text in page, "only the link goes"


def test_what_runs_left_stays_behind(tmp_path):
    recipe = tmp_path / "Frogs"
    for name in ("train.py", "results/a/log.txt", "__pycache__/x.pyc"):
        (recipe / name).parent.mkdir(parents=True, exist_ok=True)
        (recipe / name).write_text("")
    copy_recipe(recipe, tmp_path / "copy")
    assert os.listdir(tmp_path / "copy") == ["train.py"]


def test_a_copy_may_be_changed_where_the_package_may_not(tmp_path):
    recipe = tmp_path / "Frogs"
    recipe.mkdir()
    (recipe / "train.py").write_text("")
    (recipe / "train.py").chmod(0o444)
    copy_recipe(recipe, tmp_path / "copy")
    mode = (tmp_path / "copy" / "train.py").stat().st_mode
    assert mode & stat.S_IWUSR


def test_what_is_there_stays(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ESC50").mkdir()
    (tmp_path / "ESC50" / "train.py").write_text("mine")
    assert main(["recipe", "ESC50"]) == 2
    said = capsys.readouterr().err
    assert "'ESC50' is there already" in said and "--output" in said
    assert (tmp_path / "ESC50" / "train.py").read_text() == "mine"
    assert os.listdir(tmp_path) == ["ESC50"]
    assert main(["recipe", "ESC50", "--output", "."]) == 2
    assert "'.' is there already" in capsys.readouterr().err


def test_an_unknown_one_is_named(capsys):
    assert main(["recipe", "ESC-50"]) == 2
    assert "ESC50" in capsys.readouterr().err
