#!/usr/bin/env python3
"""Tries a wheel and an sdist as a new user has them: in an empty folder.

The wheel is installed in an environment of its own. There, a recipe is copied
and trained in miniature, the demo's plan runs, a folder of sounds is
classified; nothing of this checkout is in reach. The sdist is unpacked, and
passes a part of its own tests, or all of them with ``--whole``.

> python tools/try_wheel.py dist
"""

import argparse
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

MINI = "import speechbrain_petl.demo as d; print(d.BACKBONE)"
# Some tests of each kind: the package, a command, documents, a recipe
TELLING = [
    "tests/test_setup.py",
    "tests/test_mirror.py",
    "tests/test_layers.py",
    "tests/test_workflows.py",
    "tests/cli/test_recipes.py",
    "tests/docs/test_readme.py",
    "tests/recipes/test_prepare_esc50.py",
]


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("dist", type=Path, help="folder of wheel and sdist")
    parser.add_argument(
        "--whole", action="store_true", help="run all tests of the sdist"
    )
    parser.add_argument(
        "--borrow",
        metavar="FOLDER",
        help="site-packages that have the requirements, which are not "
        "installed then",
    )
    options = parser.parse_args()
    (wheel,) = options.dist.glob("*.whl")
    (sdist,) = options.dist.glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = make_environment(folder / "venv", wheel, options.borrow)
        try_wheel(python, folder / "empty")
        try_sdist(python, sdist.resolve(), folder / "sdist", options.whole)
    print("The wheel and the sdist are fine.")


def make_environment(folder: Path, wheel: Path, borrow: str | None) -> Path:
    """Makes an environment with the wheel; returns its Python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q"]
    if borrow:
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "borrowed.pth").write_text(f"{Path(borrow).resolve()}\n")
        run([*install, "--no-deps", wheel.resolve()], folder)
    else:
        run([*install, f"{wheel.resolve()}[test]"], folder)
    return python


def try_wheel(python: Path, empty: Path) -> None:
    """Does what a new user does, in an empty folder."""
    empty.mkdir()
    command = [python.parent / "speechbrain-petl"]
    run([*command, "--version"], empty)
    run([*command, "recipe"], empty)
    run([*command, "recipe", "ESC50"], empty)
    recipe = empty / "ESC50"
    sounds = ["-m", "speechbrain_petl.demo.corpora", "esc50", "sounds"]
    run([python, *sounds, "--clips_per_class_and_fold", "2"], recipe)
    mini = subprocess.run(
        [python, "-c", MINI],
        cwd=empty,  # in a checkout, Python would find that
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    train = "train.py hparams/linear.yaml --data_folder sounds --max_length 48"
    train += " --number_of_epochs 2 --num_workers 0 --output_folder out"
    run([python, *train.split(), "--source", mini], recipe)
    artefact = "ESC50/out/artefact"
    run([*command, "inspect", artefact], empty)
    predict = [*command, "predict", artefact, "ESC50/sounds/audio"]
    run([*predict, "--backbone", mini], empty)
    plan = ["experiments", "run", "demo", "--folds", "1", "--corpora", "ESC50"]
    run([*command, *plan], empty)
    run([*command, "experiments", "table", "results/demo"], empty)


def try_sdist(python: Path, sdist: Path, folder: Path, whole: bool) -> None:
    """Unpacks the sdist and runs its tests on what it holds."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    tests = [] if whole else TELLING
    run([python, "-m", "pytest", "-q", "-m", "not slow", *tests], root)


def run(command: list, folder: Path) -> None:
    """Runs a command and stops if it fails."""
    words = [str(word) for word in command]
    print("$", " ".join([Path(words[0]).name, *words[1:]]), flush=True)
    code = subprocess.run(words, cwd=folder).returncode
    if code:
        sys.exit(f"{words[0]} ended with exit code {code}.")


if __name__ == "__main__":
    main()
