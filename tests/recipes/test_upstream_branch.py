"""Branches for SpeechBrain are made in a checkout, or nothing is left of them."""

import runpy
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = (
    "| Tasks | Datasets |\n| --- | --- |\n| Sound Classification | ESC50 |\n"
)


@pytest.fixture(scope="module")
def tool():
    """The names of tools/upstream_branch.py."""
    return runpy.run_path(str(ROOT / "tools" / "upstream_branch.py"))


@pytest.fixture
def patched(tool, tmp_path, monkeypatch):
    """``make_branches`` with a patch that fits the checkout below."""
    patch = tmp_path / "metrics.diff"
    patch.write_text(
        "--- a/metrics.py\n+++ b/metrics.py\n@@ -1 +1 @@\n-slow\n+fast\n"
    )
    make = tool["make_branches"]
    monkeypatch.setitem(make.__globals__, "PATCH", patch)
    return make


def git(folder, *arguments):
    """Runs git; returns what it prints."""
    run = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return run.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    """A tree with what the tool needs of SpeechBrain's."""
    folder = tmp_path / "speechbrain"
    (folder / "tests" / "recipes").mkdir(parents=True)
    rows = (ROOT / "tests" / "recipes" / "GTZAN.csv").read_text()
    header = rows.split("\n", 1)[0]
    (folder / "tests" / "recipes" / "GTZAN.csv").write_text(f"{header}\n")
    (folder / "README.md").write_text(TABLE)
    (folder / "metrics.py").write_text("slow\n")
    (folder / ".gitignore").write_text("*.wav\n*.safetensors\n")
    git(tmp_path, "init", "--quiet", "--initial-branch", "develop", folder)
    git(folder, "config", "user.name", "Somebody")
    git(folder, "config", "user.email", "somebody@example.org")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "A tree")
    return folder


def test_branches_hold_all_of_a_recipe(patched, checkout, tmp_path):
    texts = tmp_path / "texts"
    assert patched(checkout, texts, ["GTZAN"]) == ["recipes/GTZAN/petl"]
    assert git(checkout, "branch", "--show-current") == "develop"
    assert not git(checkout, "status", "--porcelain", "--ignored")
    told = git(checkout, "log", "--format=%s", "develop..petl-recipes")
    assert told.splitlines() == [
        "List parameter-efficient adaptation in README",
        "Add parameter-efficient adaptation to GTZAN",
        "Add small backbones to test recipes with",
    ]
    there = git(checkout, "ls-tree", "-r", "--name-only", "petl-recipes")
    files = set(there.splitlines())
    assert {
        "recipes/GTZAN/petl/train.py",
        "recipes/GTZAN/petl/extra_requirements.txt",
        "tests/samples/petl/ast-mini/model.safetensors",
        "tests/samples/petl/wav2vec2-tiny/config.json",
    } <= files
    assert any(f.startswith("tests/samples/petl/GTZAN/") for f in files)
    rows = git(checkout, "show", "petl-recipes:tests/recipes/GTZAN.csv")
    ours = (ROOT / "tests" / "recipes" / "GTZAN.csv").read_text()
    assert len(rows.splitlines()) == len(ours.strip().splitlines())
    readme = git(checkout, "show", "petl-recipes:README.md").splitlines()
    assert "(recipes/GTZAN/petl)" in readme[3]
    assert git(checkout, "show", "fast-eer:metrics.py") == "fast"
    text = (texts / "petl-recipes.md").read_text()
    assert "Recipes for GTZAN (" in text and "{" not in text
    with pytest.raises(ValueError, match="has a branch petl-recipes: delete"):
        patched(checkout, texts, ["GTZAN"])


@pytest.mark.fault("upstream branch that cannot be finished")
def test_what_fails_leaves_nothing(patched, checkout, tmp_path):
    (checkout / "README.md").write_text("no table\n")
    with pytest.raises(ValueError, match="has changes: commit or stash"):
        patched(checkout, tmp_path, ["GTZAN"])
    git(checkout, "commit", "--quiet", "--all", "--message", "No table")
    with pytest.raises(ValueError, match="no row 'Sound Classification'"):
        patched(checkout, tmp_path, ["GTZAN"])
    (checkout / "README.md").write_text(TABLE)
    (checkout / "metrics.py").write_text("other\n")
    git(checkout, "commit", "--quiet", "--all", "--message", "No patch")
    with open(checkout / ".git" / "info" / "exclude", "a") as file:
        file.write("results\n")
    kept = checkout / "recipes" / "results"
    kept.parent.mkdir()
    kept.write_text("of somebody")
    with pytest.raises(ValueError, match="git apply failed: .*metrics.py"):
        patched(checkout, tmp_path, ["GTZAN"])
    assert git(checkout, "branch", "--format=%(refname:short)") == "develop"
    assert kept.read_text() == "of somebody", "what git ignores is kept"
    assert [kept] == list(kept.parent.iterdir())
    kept.unlink()
    assert not git(checkout, "status", "--porcelain", "--ignored")
    assert len(git(checkout, "worktree", "list").splitlines()) == 1


def test_large_files_and_other_folders_are_refused(tool, checkout):
    (checkout / "large.bin").write_bytes(bytes(1024 * 1024 + 1))
    with pytest.raises(ValueError, match=r"large.bin has more than 1024 KiB"):
        tool["commit"](checkout, "Large", ["large.bin"])
    with pytest.raises(ValueError, match="is not a checkout of SpeechBrain"):
        tool["require_ready"](checkout / "tests")
