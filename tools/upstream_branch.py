#!/usr/bin/env python3
"""Makes branches in a checkout of SpeechBrain, ready for pull requests.

``petl-recipes`` has a commit for the samples, one for each recipe, and one for
the row of SpeechBrain's README; ``fast-eer`` has EER and minDCF in O(n log n),
with tests in SpeechBrain's own suite. Both start from the commit that is checked
out; the files there are not touched. The texts of the pull requests are
written to a folder.

> python tools/upstream_branch.py /path/to/speechbrain --check
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from speechbrain_petl.experiments.planning.recipes import read_recipe
from speechbrain_petl.utils.recipes import corpora_in
from upstream_check import run_checks
from upstream_overlay import RECIPES, ROOT, SAMPLES, lay_backbones, lay_recipe

BRANCH, METRICS = "petl-recipes", "fast-eer"
PATCH = ROOT / "tools" / "upstream" / "fast_eer.diff"
TEXTS = {
    name: ROOT / "tools" / "upstream" / f"{name}.md"
    for name in (BRANCH, METRICS)
}
LARGEST = 1024  # KiB of a file, in SpeechBrain's pre-commit settings
ABOVE = "| Sound Classification "  # row of its README that ours goes behind


def git(checkout: Path, *arguments: str) -> str:
    """Runs git in a checkout; returns what it prints.

    Raises
    ------
    ValueError
        If it fails, with its own words.
    """
    run = subprocess.run(
        ["git", "-C", str(checkout), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        said = (run.stderr or run.stdout).strip().replace("\n", " ")
        raise ValueError(f"git {arguments[0]} failed: {said}")
    return run.stdout.strip()


def require_ready(checkout: Path) -> None:
    """Refuses a checkout in which work could be lost.

    Raises
    ------
    ValueError
        If it is none of SpeechBrain, has changes, or has the branches.
    """
    if not (checkout / "tests" / "recipes").is_dir():
        raise ValueError(
            f"{checkout} is not a checkout of SpeechBrain, as it has no "
            "tests/recipes: clone github.com/speechbrain/speechbrain."
        )
    if git(checkout, "status", "--porcelain"):
        raise ValueError(f"{checkout} has changes: commit or stash them first.")
    for name in (BRANCH, METRICS):
        if git(checkout, "branch", "--list", name):
            raise ValueError(
                f"{checkout} has a branch {name}: delete it, or rename it, "
                "first."
            )


def commit(checkout: Path, message: str, paths: list[str]) -> None:
    """Commits some paths.

    Raises
    ------
    ValueError
        If a file is larger than SpeechBrain allows.
    """
    for path in paths:
        place = checkout / path
        for file in [place, *place.rglob("*")]:
            if file.is_file() and file.stat().st_size > LARGEST * 1024:
                raise ValueError(
                    f"{file} has more than {LARGEST} KiB, which SpeechBrain's "
                    "checks refuse."
                )
    # Its .gitignore leaves audio and weights out.
    git(checkout, "add", "--force", "--", *paths)
    git(checkout, "commit", "--quiet", "--message", message)


def add_to_readme(checkout: Path, corpora: list[str]) -> None:
    """Adds a row for our recipes to the table of SpeechBrain's README.

    Raises
    ------
    ValueError
        If there is no row to put it behind.
    """
    page = checkout / "README.md"
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    rows = [i for i, line in enumerate(lines) if line.startswith(ABOVE)]
    if not rows:
        raise ValueError(
            f"{page} has no row '{ABOVE.strip('| ')}' any more: say in "
            "tools/upstream_branch.py which row ours goes behind."
        )
    links = ", ".join(
        f"[{facts.title}](recipes/{facts.upstream_folder}/petl)"
        for facts in (read_recipe(RECIPES / name) for name in corpora)
    )
    papers = ", ".join(
        f"[{name}](https://arxiv.org/abs/{number})"
        for name, number in (
            ("Adapters of AST", "2312.03694"),
            ("Soft-MoA", "2402.00828"),
            ("IPET", "2211.02227"),
        )
    )
    row = f"| Parameter-Efficient Adaptation | {links} | {papers} |\n"
    lines.insert(rows[0] + 1, row)
    page.write_text("".join(lines), encoding="utf-8")


def make_recipes(tree: Path, corpora: list[str]) -> list[str]:
    """Commits the recipes in a work tree; returns their folders."""
    lay_backbones(tree)
    commit(tree, "Add small backbones to test recipes with", [SAMPLES])
    ours = []
    for name in corpora:
        paths = lay_recipe(name, tree)
        folder = read_recipe(RECIPES / name).upstream_folder
        commit(tree, f"Add parameter-efficient adaptation to {folder}", paths)
        ours.append(paths[0])
    add_to_readme(tree, corpora)
    commit(tree, "List parameter-efficient adaptation in README", ["README.md"])
    return ours


def make_metrics(tree: Path) -> None:
    """Commits the metrics in a work tree."""
    git(tree, "apply", "--index", str(PATCH))
    message = "Compute EER and minDCF in O(n log n)"
    git(tree, "commit", "--quiet", "--message", message)


@contextlib.contextmanager
def work_tree(checkout: Path, *arguments: str) -> Iterator[Path]:
    """Gives a work tree of its own, so that the checkout is not touched."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "speechbrain"
        git(checkout, "worktree", "add", "--quiet", str(tree), *arguments)
        try:
            yield tree
        finally:
            git(checkout, "worktree", "remove", "--force", str(tree))


def make_branches(checkout: Path, texts: Path, corpora: list[str]) -> list[str]:
    """Makes both branches; what is checked out stays as it is.

    Arguments
    ---------
    checkout : Path
        Checkout of SpeechBrain without changes.
    texts : Path
        Folder to write the texts of the pull requests to.
    corpora : list of str
        Recipes to add.

    Returns
    -------
    list of str
        Folders of our recipes there.

    Raises
    ------
    ValueError
        If the checkout is not ready, or does not fit.
    """
    require_ready(checkout)
    try:
        with work_tree(checkout, "-b", BRANCH) as tree:
            ours = make_recipes(tree, corpora)
        with work_tree(checkout, "-b", METRICS) as tree:
            make_metrics(tree)
    except BaseException:  # Ctrl-C too: no half of a branch is left
        for name in (BRANCH, METRICS):
            if git(checkout, "branch", "--list", name):
                git(checkout, "branch", "--quiet", "-D", name)
        raise
    n_yamls = sum(
        1
        for name in corpora
        for _ in (RECIPES / name).rglob("hparams/**/*.yaml")
    )
    texts.mkdir(parents=True, exist_ok=True)
    for name, source in TEXTS.items():
        text = source.read_text(encoding="utf-8")
        text = text.replace("{corpora}", ", ".join(corpora))
        text = text.replace("{yamls}", str(n_yamls))
        (texts / f"{name}.md").write_text(text, encoding="utf-8")
    return ours


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkout", type=Path, help="of SpeechBrain")
    parser.add_argument(
        "--texts",
        type=Path,
        default=ROOT / "build" / "upstream",
        help="folder for the texts of the pull requests (default: %(default)s)",
    )
    parser.add_argument(
        "--corpus",
        action="append",
        choices=corpora_in(RECIPES),
        help="add this recipe only (may be repeated)",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="run SpeechBrain's checks and recipe tests on the branch",
    )
    parser.add_argument(
        "--jobs", type=int, default=2, help="recipe tests at once (default: 2)"
    )
    options = parser.parse_args(arguments)
    checkout = options.checkout.resolve()
    corpora = options.corpus or corpora_in(RECIPES)
    try:
        ours = make_branches(checkout, options.texts, corpora)
    except ValueError as error:
        print(f"upstream-branch: {error}", file=sys.stderr)
        return 2
    print(f"Branches {BRANCH} and {METRICS} are in {checkout}.")
    print(f"What to say of them is in {options.texts}.")
    if not options.check:
        return 0
    with work_tree(checkout, BRANCH) as tree:
        passed = run_checks(tree, ours, corpora, options.jobs)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
