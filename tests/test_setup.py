"""What is imported is declared, and the library alone needs few packages."""

import ast
import runpy
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import setuptools
import soundfile
from packaging.requirements import Requirement
from speechbrain_petl.utils.recipes import corpora_in

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "speechbrain_petl"
# Of an import, the distribution that has it, where the names differ
DISTRIBUTIONS = {"sklearn": "scikit-learn", "ruamel": "ruamel.yaml"}


@pytest.fixture
def setup_arguments(monkeypatch):
    """What setup.py gives to setuptools."""
    found = {}
    monkeypatch.setattr(setuptools, "setup", found.update)
    runpy.run_path(str(ROOT / "setup.py"))
    return found


@pytest.fixture
def declared(setup_arguments):
    """The requirements and extras of setup.py, as names of distributions."""
    found = setup_arguments

    def names(requirements):
        """Distributions without their versions."""
        return {
            line.partition(">")[0].partition("<")[0].partition("[")[0]
            for line in requirements
        }

    extras = found["extras_require"]
    return names(found["install_requires"]), {
        extra: names(lines) for extra, lines in extras.items()
    }


def imported(files):
    """Top-level packages of others that files import."""
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").partition(".")[0])
    own = {"speechbrain_petl", *sys.stdlib_module_names}
    return {DISTRIBUTIONS.get(name, name) for name in found - own}


def test_what_is_imported_is_declared(declared):
    required, extras = declared
    files = set(LIBRARY.rglob("*.py"))
    experiments = set((LIBRARY / "experiments").rglob("*.py"))
    integrations = set((LIBRARY / "integrations").rglob("*.py"))
    optional = {"matplotlib", "peft"}  # imported where they are needed
    assert imported(files - experiments - integrations) - optional <= required
    assert imported(experiments) <= required | extras["experiments"]
    more = extras["peft"] | extras["export"]
    assert imported(integrations) <= required | more
    assert optional <= extras["experiments"] | extras["peft"]


LEAN = """
import importlib, pkgutil, sys
for name in "matplotlib sklearn optuna submitit jinja2 markupsafe psutil".split():
    sys.modules[name] = None  # importing it fails
import speechbrain_petl
for room in "utils lobes dataio training artefacts inference integrations cli".split():
    package = importlib.import_module(f"speechbrain_petl.{room}")
    for module in pkgutil.iter_modules(package.__path__):
        if module.name != "__main__":
            importlib.import_module(f"{package.__name__}.{module.name}")
from speechbrain_petl.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.fault("packages of the experiments not installed")
def test_an_artefact_runs_without_the_experiments_packages(
    make_artefact, tiny_folder, tmp_path
):
    make_artefact(tmp_path / "artefact", labels=["dog", "cat"])
    soundfile.write(tmp_path / "a.wav", np.zeros(11000), 11127)
    run = subprocess.run(
        [sys.executable, "-c", LEAN, "predict", str(tmp_path / "artefact")]
        + [str(tmp_path / "a.wav"), "--backbone", tiny_folder],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(f"{tmp_path / 'a.wav'}\t")


MISSING = """
import sys
for name in sys.argv[1].split(","):
    sys.modules[name] = None
from speechbrain_petl.experiments.__main__ import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    "package, line",
    [
        ("matplotlib", "plot nowhere"),
        ("psutil", "run demo --folds 1"),
        ("submitit", "run demo --folds 1 --launcher submitit"),
        (
            "optuna",
            "search recipes/ESC50/hparams/lora.yaml --data_folder . "
            "--space lr=0.1:0.2",
        ),
    ],
)
def test_a_command_names_the_package_that_it_needs(package, line, tmp_path):
    words = [
        word.replace("recipes", str(ROOT / "recipes")) for word in line.split()
    ]
    if words[0] == "run":
        words += ["--recipes", str(ROOT / "recipes")]
    run = subprocess.run(
        [sys.executable, "-c", MISSING, package, *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert run.returncode == 2
    said = run.stderr.splitlines()[-1]
    assert said.startswith("experiments: ") and f"needs {package}: pip" in said
    assert "'speechbrain-petl[experiments]'" in said


def test_tomorrows_release_breaks_nothing(setup_arguments):
    """Each requirement ends below a release, and what is here is below it."""
    extras = setup_arguments["extras_require"]
    lines = list(setup_arguments["install_requires"])
    for extra in ("experiments", "tensorboard", "peft", "export"):
        lines += extras[extra]
    for line in lines:
        requirement = Requirement(line)
        bounds = {one.operator for one in requirement.specifier}
        assert "<" in bounds, f"{line} has no upper bound"
        assert requirement.specifier.contains(version(requirement.name)), line


def test_an_installation_has_the_recipes(setup_arguments):
    packages = setup_arguments["packages"]
    places = setup_arguments["package_dir"]
    for recipe in corpora_in(ROOT / "recipes"):
        package = f"speechbrain_petl.recipes.{recipe}"
        assert package in packages
        assert places[package] == f"recipes/{recipe}"
        patterns = setup_arguments["package_data"][package]
        taken = {
            path
            for pattern in [*patterns, "*.py"]
            for path in (ROOT / "recipes" / recipe).glob(pattern)
        }
        left = {"results", "__pycache__"}  # by runs
        present = {
            path
            for path in (ROOT / "recipes" / recipe).rglob("*.*")
            if path.is_file()
            and not left & set(path.relative_to(ROOT).parts)
            and not path.name.startswith(".")
        }
        assert present <= taken
        assert ROOT / "recipes" / recipe / "train.py" in taken


def test_the_metadata_are_whole(setup_arguments):
    assert setup_arguments["python_requires"] == ">=3.10"
    assert (ROOT / setup_arguments["license_files"][0]).is_file()
    urls = setup_arguments["project_urls"].values()
    assert all(url.startswith("https://") for url in urls)
    assert setup_arguments["long_description"].startswith("# ")
    assert "Typing :: Typed" in setup_arguments["classifiers"]
