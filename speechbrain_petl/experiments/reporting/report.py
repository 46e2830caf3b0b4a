"""One web page of everything that a plan found."""

import json
import re
from pathlib import Path

from speechbrain_petl.experiments.reporting.best import name_best
from speechbrain_petl.experiments.reporting.captions import CAPTIONS, tell
from speechbrain_petl.experiments.reporting.collect import Outcome
from speechbrain_petl.experiments.reporting.layout import detail, overview
from speechbrain_petl.experiments.reporting.rows import (
    Row,
    footnotes,
    make_rows,
)
from speechbrain_petl.experiments.running.job import why_failed
from speechbrain_petl.utils.files import read_json, write_file
from speechbrain_petl.utils.messages import printable
from speechbrain_petl.utils.optional import require

TEMPLATE = Path(__file__).parent / "page.html.jinja"


def write_report(outcome: Outcome, output: Path) -> Path:
    """Writes ``report.html``: tables, figures, settings, versions, failures.

    The page needs no other file and no network. The figures are those that
    ``plot`` has written.

    Arguments
    ---------
    outcome : Outcome
        As ``collect`` reads it.
    output : Path
        Output folder of the plan.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ValueError
        If Jinja2 is not installed.
    """
    jinja2 = require("jinja2", "experiments", "report")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, finalize=visible
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    rows = make_rows(outcome)
    finished = [r for r in outcome.results if r.results]
    figures = drawn_in(output / "figures", outcome)
    columns = {(row.corpus, row.shots) for row in rows}
    text = template.render(
        title=outcome.plan["title"],
        source=without_folders(outcome.plan["source"]),
        n_finished=len(finished),
        n_cells=len(outcome.results),
        warnings=outcome.warnings(),
        phrase=outcome.phrase(),
        in_percent=any(m.in_percent for m in outcome.metrics().values()),
        overview=overview(rows) if len(columns) > 1 else None,
        footnotes=footnotes(outcome),
        corpora=[
            corpus_of(outcome, corpus, rows, figures)
            for corpus in outcome.plan["corpora"]
        ],
        others=[f for f in figures if f["corpus"] is None],
        any_figure=bool(figures),
        missing=[
            {
                "name": result.cell["name"],
                "failure": result.failure,
                "why": result.failure and why_failed(result.folder),
            }
            for result in outcome.results
            if not result.results
        ],
        variants=[
            settings_of(outcome, variant)
            for variant in outcome.plan["variants"]
        ],
        versions=versions_of(finished),
    )
    page = output / "report.html"
    write_file(str(page), text + "\n")
    return page


def drawn_in(folder: Path, outcome: Outcome) -> list[dict]:
    """Reads the figures that ``plot`` has written.

    Arguments
    ---------
    folder : Path
        Where they are.
    outcome : Outcome
        As ``collect`` reads it.

    Returns
    -------
    list of dict
        With ``svg``, ``corpus``, ``caption`` and ``group``, the kinds in the
        order of ``CAPTIONS``.
    """
    markup = require("markupsafe", "experiments", "report").Markup
    plan, order = outcome.plan, list(CAPTIONS)
    files = sorted(
        folder.glob("*.svg"),
        key=lambda file: min(
            (i for i, kind in enumerate(order) if file.stem.startswith(kind)),
            default=len(order),
        ),
    )
    return [
        {
            **tell(
                file, plan["corpora"], plan["variants"], outcome.metrics()
            )._asdict(),
            # Drawn by ``plot``, which escapes the texts in it
            "svg": markup(inline_svg(file, f"f{number}")),
        }
        for number, file in enumerate(files)
    ]


def corpus_of(
    outcome: Outcome, corpus: str, rows: list[Row], figures: list[dict]
) -> dict:
    """Returns what the page shows of a corpus.

    Arguments
    ---------
    outcome : Outcome
        As ``collect`` reads it.
    corpus : str
        Which.
    rows : list of Row
        Those of all corpora.
    figures : list of dict
        As from ``drawn_in``.

    Returns
    -------
    dict
        With ``title``, ``best``, ``detail``, ``figures`` and ``groups``, the
        figures that are one a variant by their heading.
    """
    here = [row for row in rows if row.corpus == corpus]
    mine = [figure for figure in figures if figure["corpus"] == corpus]
    groups: dict[str, list[dict]] = {}
    for figure in mine:
        if figure["group"]:
            groups.setdefault(figure["group"], []).append(figure)
    best = []
    for shots in dict.fromkeys(row.shots for row in here):
        some = [row for row in here if row.shots == shots]
        text = name_best(some, outcome.metric(corpus))
        few = "" if shots is None else f"With {shots} clips of each class. "
        best += [few + text] if text else []
    return {
        "title": outcome.title(corpus),
        "best": best,
        "detail": detail(here),
        "figures": [figure for figure in mine if not figure["group"]],
        "groups": groups,
    }


def visible(value: object) -> object:
    """Makes what is invisible in a text visible; markup stays as it is.

    Arguments
    ---------
    value : object
        Value that the page shows.

    Returns
    -------
    object

    Example
    -------
    >>> print(visible("a" + chr(27) + "[2J"))
    a\\x1b[2J
    """
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return "\n".join(map(printable, value.expandtabs().split("\n")))


def inline_svg(file: Path, prefix: str) -> str:
    """Reads an SVG file, to be put into a page with others.

    Arguments
    ---------
    file : Path
        The file.
    prefix : str
        Put before the names inside the SVG, which have to differ between the
        figures of one page.

    Returns
    -------
    str
    """
    text = file.read_text(encoding="utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{prefix}-", text)
    return re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)


def settings_of(outcome: Outcome, variant: str) -> dict:
    """Returns how a variant was trained, and the command of its first cell.

    Arguments
    ---------
    outcome : Outcome
        As ``collect`` reads it.
    variant : str
        Label of the variant.

    Returns
    -------
    dict
        With ``label``, ``cell`` and, if a cell is finished, ``command`` and
        ``hyperparameters``.
    """
    group = outcome.group(variant=variant)
    done = [result for result in group if result.results]
    found = {
        "label": variant,
        "cell": json.dumps((done or group)[0].cell, indent=2),
        "command": "",
        "hyperparameters": [],
    }
    if done:
        command = read_json(done[0].folder / "cell.json").get("command", [])
        values = done[0].results.get("hyperparameters", {})
        found["command"] = " ".join(map(without_folders, command))
        found["hyperparameters"] = [
            (key, json.dumps(value))
            for key, value in values.items()
            if not is_path(value)
        ]
    return found


def without_folders(argument: str) -> str:
    """Removes the folders of the machine that a command ran on.

    Arguments
    ---------
    argument : str
        Word of the command.

    Returns
    -------
    str

    Example
    -------
    >>> without_folders("--data_folder=/data/ESC-50")
    '--data_folder=ESC-50'
    >>> without_folders("hparams/lora.yaml")
    'hparams/lora.yaml'
    """
    option, equals, value = argument.rpartition("=")
    shown = Path(value).name if is_path(value) else value
    return f"{option}{equals}{shown}"


def is_path(value: object) -> bool:
    """Returns True if a value names a place on a machine."""
    return isinstance(value, str) and Path(value).is_absolute()


def versions_of(finished: list) -> list[tuple[str, str]]:
    """Returns the packages that cells ran with, and their versions.

    Arguments
    ---------
    finished : list of Result
        The cells.

    Returns
    -------
    list of (str, str)
    """
    found: dict[str, set] = {}
    for result in finished:
        for package, version in result.results.get("versions", {}).items():
            found.setdefault(package, set()).add(version)
    return [(name, ", ".join(sorted(found[name]))) for name in found]
