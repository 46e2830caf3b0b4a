"""Parts of a web page that opens from disk and asks no network for anything."""

import re
from collections.abc import Iterable, Sequence
from html import escape as escape_markup
from pathlib import Path

from speechbrain_petl.utils.messages import printable

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff;
       max-width: 74rem; margin: 2rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
nav a { margin-right: 1.2em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ddd;
         text-align: right; vertical-align: top; }
th { border-bottom: 2px solid #555; }
th:first-child, td:first-child { text-align: left; white-space: nowrap; }
.scroll { overflow-x: auto; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; }
figcaption { color: #555; font-size: .9em; }
pre { background: #f5f5f5; padding: .7rem; overflow-x: auto; font-size: .85em; }
.warning { border-left: 4px solid #b35900; background: #fff6ec;
           padding: .5rem 1rem; }
summary { cursor: pointer; }
"""


def escape(text: str) -> str:
    """Returns a text that is no markup and in which nothing is invisible.

    Example
    -------
    >>> print(escape("<b>" + chr(27)))
    &lt;b&gt;\\x1b
    """
    lines = text.expandtabs().split("\n")
    return escape_markup("\n".join(map(printable, lines)))


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; cells are texts, not HTML.

    Example
    -------
    >>> print(table(["a"], [["<b>"]]))
    <div class="scroll"><table><tr><th>a</th></tr>
    <tr><td>&lt;b&gt;</td></tr></table></div>
    """
    head = "".join(f"<th>{escape(str(cell))}</th>" for cell in header)
    body = "\n".join(
        "<tr>"
        + "".join(f"<td>{escape(str(cell))}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><tr>{head}</tr>\n{body}</table></div>'


def figure(svg: str | Path, caption: str, prefix: str) -> str:
    """An SVG file, put into the page itself.

    Arguments
    ---------
    svg : str or Path
        The file.
    caption : str
        What it shows.
    prefix : str
        Put before the names inside the SVG, which have to differ between the
        figures of one page.

    Returns
    -------
    str
        HTML.
    """
    text = Path(svg).read_text(encoding="utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{prefix}-", text)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    return (
        f'<figure role="img" aria-label="{escape(caption)}">{text}'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def code(text: str) -> str:
    """A block of code or a log."""
    return f"<pre>{escape(text)}</pre>"


def folded(summary: str, html: str) -> str:
    """What is shown on request."""
    return f"<details><summary>{escape(summary)}</summary>{html}</details>"


def warning(text: str) -> str:
    """What must not be overlooked."""
    return f'<p class="warning">{escape(text)}</p>'


def page(title: str, intro: str, sections: dict[str, str]) -> str:
    """A whole page.

    Arguments
    ---------
    title : str
        Text.
    intro : str
        HTML before the first section.
    sections : dict of str to str
        From heading to HTML.

    Returns
    -------
    str
        HTML of the page.
    """
    anchors = {
        heading: re.sub(r"\W+", "-", heading.lower()) for heading in sections
    }
    links = "".join(
        f'<a href="#{anchor}">{escape(heading)}</a>'
        for heading, anchor in anchors.items()
    )
    body = "\n".join(
        f'<section id="{anchors[heading]}"><h2>{escape(heading)}</h2>\n'
        f"{html}</section>"
        for heading, html in sections.items()
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n{intro}\n<nav>{links}</nav>\n"
        f"{body}\n</body></html>\n"
    )
