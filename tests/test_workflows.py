"""Workflows and forms: they are read, and run what there is."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FIRST = "3.10"  # of setup.py's python_requires


def read(file):
    """The content of a workflow or form."""
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def jobs(name):
    """The jobs of a workflow."""
    return read(ROOT / ".github" / "workflows" / f"{name}.yml")["jobs"]


def commands(job):
    """What a job runs."""
    return [step["run"] for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_is_whole(file):
    workflow = read(file)
    assert {"name", "on", "permissions", "jobs"} <= set(workflow)
    for name, job in workflow["jobs"].items():
        assert job["runs-on"] in ("ubuntu-latest", "macos-latest"), name
        for need in [job.get("needs", [])]:
            needs = [need] if isinstance(need, str) else need
            assert set(needs) <= set(workflow["jobs"])
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step), step
            if "uses" in step:  # of a release, not of a moving branch's name
                assert re.fullmatch(r"[\w-]+/[\w-]+@[\w./-]+", step["uses"])


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_what_a_workflow_runs_is_a_verb_of_the_makefile(file):
    said = [c for job in read(file)["jobs"].values() for c in commands(job)]
    verbs = [c.split()[1] for c in said if c.startswith("make ")]
    assert verbs or file.stem == "publish"
    for verb in verbs:
        assert re.search(rf"^{verb}:", MAKEFILE, re.M), verb
        phony = re.search(r"^\.PHONY: (.*)", MAKEFILE, re.M)[1].split()
        assert verb in phony
    others = [c for c in said if not c.startswith("make ")]
    assert all(c.startswith("test ") for c in others), others


def test_the_matrix_is_what_the_package_says_it_supports():
    versions = jobs("tests")["linux"]["strategy"]["matrix"]["python"]
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    said = re.findall(r"Python :: (3\.\d+)\"", setup)
    assert versions == said and versions[0] == FIRST
    assert f'python_requires=">={FIRST}"' in setup
    oldest = jobs("tests")["oldest"]["steps"][1]["with"]["python-version"]
    assert oldest == FIRST


def test_all_kinds_of_runs_are_there():
    found = {name: commands(job) for name, job in jobs("tests").items()}
    assert found["linux"] == ["make test"]
    assert found["macos"] == ["make test-quick"]
    assert found["oldest"] == ["make test-oldest"]
    assert found["lint"] == ["make lint"]
    assert found["dist"] == ["make dist", "make test-dist"]
    assert "make docs" in commands(jobs("docs")["site"])


@pytest.mark.parametrize("file", FORMS, ids=lambda file: file.stem)
def test_a_form_is_whole(file):
    form = read(file)
    if file.stem == "config":
        assert set(form) == {"blank_issues_enabled"}
        return
    assert {"name", "description", "body"} <= set(form)
    ids = [part["id"] for part in form["body"]]
    assert len(ids) == len(set(ids))
    for part in form["body"]:
        assert part["type"] in ("textarea", "input", "checkboxes", "dropdown")
        assert part["attributes"]["label"]


def test_the_verbs_are_all_told():
    verbs = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.M))
    told = set(re.findall(r"`make ([a-z-]+)", CONTRIBUTING))
    assert verbs - {"help", "bench"} <= told | {"install"}


def test_the_citation_is_of_this_version():
    citation = read(ROOT / "CITATION.cff")
    version = ROOT / "speechbrain_petl" / "version.txt"
    assert citation["version"] == version.read_text().strip()
    assert {"cff-version", "title", "authors", "message"} <= set(citation)
    assert citation["license"] == "Apache-2.0"
