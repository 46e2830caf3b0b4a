"""Sphinx makes the site from docs/, the READMEs and the docstrings.

`make docs` runs it; warnings are errors, and a link inside the repository that
leads nowhere is one.
"""

import json
import os
import re
from pathlib import Path

from sphinx.util import logging

ROOT = Path(__file__).resolve().parents[1]
# What is no page of the site is on GitHub, or, made elsewhere, a download
HOSTED = os.environ.get("GITHUB_REPOSITORY")
PICTURES = {".png", ".svg"}  # are copied in any case
RECIPES = sorted(path.parent.name for path in ROOT.glob("recipes/*/README.md"))
NOTEBOOKS = ["own_sounds", "methods", "many_adapters"]
# Pages that are kept elsewhere, as their copies are called here
COPIES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "generated/CONTRIBUTING.md",
    "CHANGELOG.md": "generated/CHANGELOG.md",
    "SECURITY.md": "generated/SECURITY.md",
    **{
        f"recipes/{name}/README.md": f"generated/recipes/{name}.md"
        for name in RECIPES
    },
    **{
        f"docs/notebooks/{name}.ipynb": f"generated/notebooks/{name}.md"
        for name in NOTEBOOKS
    },
}
CONTENTS = {
    "Use": ["OWN_SOUNDS", "METHODS", "BACKBONES", "SERVING"],
    "Notebooks": [f"generated/notebooks/{name}" for name in NOTEBOOKS],
    "Recipes": [f"generated/recipes/{name}" for name in RECIPES],
    "Experiments": ["EXPERIMENTS", "SLURM", "REPRODUCING"],
    "Inside": [
        "ARCHITECTURE",
        "NEW_CORPUS",
        "RELIABILITY",
        "generated/SECURITY",
        "generated/CONTRIBUTING",
        "RELEASING",
        "generated/CHANGELOG",
    ],
    "API": ["generated/api/modules"],
}

project = "speechbrain-petl"
author = "The authors of speechbrain-petl"
version = release = (ROOT / "speechbrain_petl/version.txt").read_text().strip()
extensions = [
    "myst_parser",
    "sphinx.ext.apidoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinxcontrib.mermaid",  # docs/ARCHITECTURE.md's graph
]
html_theme = "furo"
html_title = "speechbrain-petl"
html_copy_source = False
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]
apidoc_modules = [
    {
        "path": "../speechbrain_petl",
        "destination": "generated/api",
        "separate_modules": True,
        "module_first": True,
        "automodule_options": {"members", "show-inheritance"},
    }
]
# What a room exports is described where it is defined, once
autodoc_default_options = {"ignore-module-all": True}
autodoc_typehints = "none"  # the docstrings have them
autodoc_member_order = "bysource"
napoleon_google_docstring = False
# Types are named as the reader knows them, short: no references to look up
napoleon_use_param = napoleon_use_rtype = False

LINK = re.compile(r"(\]\()([^)\s#]+)?(#[^)\s]*)?(\))")


def relinked(text, source, page):
    """Rewrites the links of a page.

    Arguments
    ---------
    text : str
        Markdown.
    source : str
        Where it is kept, from the repository's root.
    page : str
        Where its copy is, from docs/.

    Returns
    -------
    str
        Links to pages of the site lead to these, others into the repository
        on GitHub, or to a copy of the file.
    """
    code = False
    lines = []
    for line in text.splitlines():
        code ^= line.lstrip().startswith("```")
        if not code:
            line = LINK.sub(lambda link: _relink(link, source, page), line)
        lines.append(line)
    return "\n".join(lines) + "\n"


def _relink(link, source, page):
    """Rewrites one link."""
    target, anchor = link[2], link[3] or ""
    if target is None or re.match(r"[a-z]+:", target):
        return link[0]
    path = os.path.normpath(os.path.join(os.path.dirname(source), target))
    if not (ROOT / path).is_file():
        logging.getLogger(__name__).warning(
            "%s links to %s, which is no file", source, target
        )
    scheme = ""
    if path in COPIES:
        path = COPIES[path]
    elif re.fullmatch(r"docs/\w+\.md", path):
        path = path.removeprefix("docs/")
    elif Path(path).suffix in PICTURES:
        path = os.path.relpath(path, "docs")
    elif HOSTED:
        return f"](https://github.com/{HOSTED}/blob/main/{path}{anchor})"
    else:
        path, scheme, anchor = os.path.relpath(path, "docs"), "path:", ""
    path = os.path.relpath(path, os.path.dirname(page) or ".")
    return f"]({scheme}{path}{anchor})"


def page_of(notebook, source):
    """Returns a notebook, which is kept at ``source``, as Markdown."""
    parts = []
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        code = cell["cell_type"] == "code"
        parts.append(f"```python\n{text}\n```" if code else text)
    home = (
        f"https://github.com/{HOSTED}/blob/main/"
        if HOSTED
        else "path:../../../"
    )
    parts.insert(1, f"To run it: [the notebook]({home}{source}).")
    return "\n\n".join(parts)


def copy_pages(app):
    """Writes the copies, and the table of contents under the first page."""
    for source, page in COPIES.items():
        text = (ROOT / source).read_text("utf-8")
        if source.endswith(".ipynb"):
            text = page_of(json.loads(text), source)
        text = relinked(text, source, page)
        if page == "index.md":
            text += "".join(map(_toctree, CONTENTS.items()))
        file = Path(app.srcdir, page)
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")


def _toctree(part):
    """Returns a part of the table of contents."""
    caption, pages = part
    return "\n".join(
        ["", "```{toctree}", ":hidden:", f":caption: {caption}", ""]
        + [*pages, "```", ""]
    )


def relink_page(app, name, source):
    """Rewrites the links of a page that is kept in docs/."""
    if "/" not in name and name != "index":
        source[0] = relinked(source[0], f"docs/{name}.md", f"{name}.md")


def setup(app):
    """Connects the functions above to Sphinx."""
    app.connect("builder-inited", copy_pages, priority=100)
    app.connect("source-read", relink_page)
