"""One web page of everything that a plan found."""

import json
from html import escape
from pathlib import Path

from speechbrain_petl.experiments.planning.recipes import RECIPES
from speechbrain_petl.experiments.reporting import html
from speechbrain_petl.experiments.reporting.collect import Outcome
from speechbrain_petl.experiments.reporting.rows import (
    detail,
    make_rows,
    overview,
)
from speechbrain_petl.utils.files import write_file

FOLDED = ("training_", "confusion_")  # figures that are many


def write_report(outcome: Outcome, output: Path) -> Path:
    """Writes ``report.html``: tables, figures, settings, versions, failures.

    The page needs no other file and no network. The figures are those that
    ``plot`` has written.

    Arguments
    ---------
    outcome : Outcome
        As ``collect`` reads it.
    output : Path
        The plan's output folder.

    Returns
    -------
    Path
        The page.
    """
    rows = make_rows(outcome)
    finished = [r for r in outcome.results if r.results]
    figures = sorted((output / "figures").glob("*.svg"))
    if not figures and finished:
        warning = "No figure has been drawn yet: run plot first."
    else:
        warning = ""
    tables = html.table(*overview(rows))
    for corpus in outcome.plan["corpora"]:
        here = [row for row in rows if row.corpus == corpus]
        tables += f"<h3>{escape(RECIPES[corpus].title)}</h3>"
        tables += html.table(*detail(here))
    sections = {
        "Tables": tables,
        "Figures": html.warning(warning) if warning else _figures(figures),
        "Failed and missing": _missing(outcome),
        "Settings": _settings(outcome),
        "Versions": _versions(finished),
    }
    intro = (
        "<p>Test accuracy in %, mean ± sample standard deviation over folds, "
        "seeds and draws; pooled over all test clips with Wilson's 95 % "
        f"interval. {len(finished)} of {len(outcome.results)} cells are "
        "finished.</p>"
    )
    intro += "".join(map(html.warning, outcome.warnings()))
    page = output / "report.html"
    write_file(str(page), html.page(outcome.plan["title"], intro, sections))
    return page


def _figures(files):
    """The figures; those that are many can be unfolded."""
    text = ""
    for number, file in enumerate(files):
        name = file.stem.replace("_", " ")
        drawn = html.figure(file, name, f"f{number}")
        many = file.stem.startswith(FOLDED)
        text += html.folded(name, drawn) if many else drawn
    return text


def _missing(outcome):
    """Cells without a result, and why."""
    text = ""
    for result in outcome.results:
        if result.results:
            continue
        if result.failure is None:
            text += f"<p>{escape(result.cell['name'])}: not finished</p>"
        else:
            log = "\n".join(result.failure["log_tail"])
            title = f"{result.cell['name']}: exit {result.failure['exit_code']}"
            text += html.folded(title, html.code(log))
    return text or "<p>None.</p>"


def _settings(outcome):
    """How each variant was trained, and the command of its first cell."""
    text = f"<p>Plan: {escape(str(outcome.plan['source']))}</p>"
    for variant in outcome.plan["variants"]:
        group = outcome.group(variant=variant)
        done = [r for r in group if r.results]
        cell = (done or group)[0].cell
        body = html.code(json.dumps(cell, indent=2))
        if done:
            record = json.loads(
                (done[0].folder / "cell.json").read_text("utf-8")
            )
            body += html.code(" ".join(map(_name, record["command"])))
            body += html.table(
                ["Hyperparameter", "Value"],
                [
                    (key, json.dumps(value))
                    for key, value in done[0].results["hyperparameters"].items()
                    if not _is_path(value)
                ],
            )
        text += html.folded(variant, body)
    return text


def _name(argument):
    """An argument without the folders of the machine it ran on."""
    option, equals, value = argument.partition("=")
    shown = Path(value or option).name if _is_path(value or option) else None
    if shown is None or option == argument and argument.startswith("hparams/"):
        return argument
    return f"{option}{equals}{shown}" if equals else shown


def _is_path(value):
    """Whether a value names a place on a machine."""
    return isinstance(value, str) and value.startswith("/")


def _versions(finished):
    """Versions that the cells ran with."""
    found: dict[str, set] = {}
    for result in finished:
        for package, version in result.results["versions"].items():
            found.setdefault(package, set()).add(version)
    return html.table(
        ["Package", "Version"],
        [(name, ", ".join(sorted(values))) for name, values in found.items()],
    )
