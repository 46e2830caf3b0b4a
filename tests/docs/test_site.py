"""Links of the site: to its pages, to the repository, to copied pictures."""

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="it comes with the extra docs")
CONF = Path(__file__).parents[2] / "docs" / "conf.py"
PICTURE = "results/esc10_table1/figures/ranking_ESC50.png"


@pytest.fixture(params=["hosted", "on this machine"])
def conf(request, monkeypatch):
    """docs/conf.py as a module, on GitHub or not."""
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    if request.param == "hosted":
        monkeypatch.setenv("GITHUB_REPOSITORY", "someone/petl")
    spec = importlib.util.spec_from_file_location("conf", CONF)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pictures_and_pages_are_the_site_s(conf):
    text = f"![x]({PICTURE}) [y](docs/METHODS.md#a) [z](CONTRIBUTING.md)"
    found = conf.relinked(text, "README.md", "index.md")
    assert found == (
        f"![x](../{PICTURE}) [y](METHODS.md#a) [z](generated/CONTRIBUTING.md)\n"
    )
    deep = conf.relinked(
        "![](images/page.png)", "docs/X.md", "generated/a/X.md"
    )
    assert deep == "![](../../images/page.png)\n"


def test_other_files_open_in_a_browser(conf):
    """Renderers refuse links of the scheme file."""
    found = conf.relinked(
        "[x](LICENSE) [y](https://z)", "README.md", "index.md"
    )
    there = "https://github.com/someone/petl/blob/main/LICENSE"
    assert found == (
        f"[x]({there if conf.HOSTED else 'path:../LICENSE'}) [y](https://z)\n"
    )
    note = {"cells": [{"cell_type": "markdown", "source": "# A"}]}
    page = conf.page_of(note, "docs/notebooks/methods.ipynb")
    assert "file:" not in page
    assert (
        conf.relinked(page, "docs/notebooks/methods.ipynb", "x") == f"{page}\n"
    )
