"""Spans of a recording as files: CSV, JSON, Audacity, Raven, and a picture."""

import base64
import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from speechbrain_petl.inference.timeline import Recording, Span
from speechbrain_petl.utils.files import write_file
from speechbrain_petl.utils.messages import printable
from speechbrain_petl.utils.png import heat_png

RAVEN = (
    *("Selection", "View", "Channel", "Begin Time (s)", "End Time (s)"),
    *("Low Freq (Hz)", "High Freq (Hz)", "Label", "Probability"),
)
WIDTH, HEIGHT, ROW, TOP = 1200, 200, 22, 20
COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf")


def write_labels(
    folder: Path, name: str, recording: Recording, spans: Sequence[Span]
) -> list[Path]:
    """Writes the spans of a recording in all formats.

    Arguments
    ---------
    folder : Path
        Where to; made if it is not there.
    name : str
        Beginning of the files' names.
    recording : Recording
        What they are of, read to its end.
    spans : sequence of Span
        The spans.

    Returns
    -------
    list of Path
        The files: ``.csv``, ``.json``, ``.audacity.txt`` (File, Import,
        Labels), ``.raven.txt`` (a selection table) and ``.svg``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for ending, text in label_texts(recording, spans).items():
        files.append(folder / f"{name}{ending}")
        write_file(str(files[-1]), text)
    return files


def label_texts(recording: Recording, spans: Sequence[Span]) -> dict[str, str]:
    """Returns the content of the files of ``write_labels``, by their ending."""
    return {
        ".csv": as_csv(recording, spans),
        ".json": as_json(recording, spans),
        ".audacity.txt": as_audacity(spans),
        ".raven.txt": as_raven(spans, recording.rate),
        ".svg": as_svg(recording, spans),
    }


def as_csv(recording: Recording, spans: Sequence[Span]) -> str:
    """Returns a table with the columns of ``Span``."""
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerow(["file", "start", "end", "label", "probability", "task"])
    for one in spans:
        writer.writerow(
            [
                *(recording.name, f"{one.start:.3f}", f"{one.end:.3f}"),
                *(one.label, f"{one.probability:.6f}", one.task),
            ]
        )
    return rows.getvalue()


def as_json(recording: Recording, spans: Sequence[Span]) -> str:
    """Returns an object with the file's duration and its spans."""
    found = {
        "file": recording.name,
        "duration": round(recording.duration, 3),
        "window": round(recording.window, 3),
        "hop": round(recording.hop, 3),
        "spans": [
            {
                "start": round(one.start, 3),
                "end": round(one.end, 3),
                "label": one.label,
                "probability": round(one.probability, 6),
                **({"task": one.task} if one.task else {}),
            }
            for one in spans
        ],
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def as_audacity(spans: Sequence[Span]) -> str:
    r"""Returns a label track of Audacity: start, end and label.

    Example
    -------
    >>> as_audacity([Span("", 0.0, 2.5, "a\tdog", 0.9)])
    '0.000000\t2.500000\ta\\tdog\n'
    """
    return "".join(
        f"{one.start:.6f}\t{one.end:.6f}\t{printable(one.label)}\n"
        for one in spans
    )


def as_raven(spans: Sequence[Span], rate: int) -> str:
    """Returns a selection table of Raven, over all frequencies."""
    rows = [
        (number, "Spectrogram 1", 1, f"{one.start:.6f}", f"{one.end:.6f}")
        + (0, rate // 2, printable(one.label), f"{one.probability:.6f}")
        for number, one in enumerate(spans, 1)
    ]
    return "".join("\t".join(map(str, row)) + "\n" for row in (RAVEN, *rows))


def as_svg(recording: Recording, spans: Sequence[Span]) -> str:
    """Returns a picture: the spectrogram, and below it a row a label."""
    labels = list(dict.fromkeys((one.task, one.label) for one in spans))
    scale = WIDTH / recording.duration
    image = base64.b64encode(heat_png(recording.picture)).decode()
    height = TOP + HEIGHT + ROW * max(1, len(labels)) + TOP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
        f'height="{height}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="4" y="14">{_text(Path(recording.name).name)}</text>',
        f'<image x="0" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" '
        f'preserveAspectRatio="none" href="data:image/png;base64,{image}"/>',
    ]
    for row, (task, label) in enumerate(labels):
        y = TOP + HEIGHT + ROW * row
        color = COLORS[row % len(COLORS)]
        mine = [s for s in spans if (s.task, s.label) == (task, label)]
        for one in mine:
            x, width = one.start * scale, (one.end - one.start) * scale
            parts.append(
                f'<rect x="{x:.1f}" y="{y + 3}" width="{max(1.0, width):.1f}" '
                f'height="{ROW - 6}" fill="{color}" fill-opacity="0.45">'
                f"<title>{_text(label)} {one.probability:.2f}</title></rect>"
            )
        said = f"{task}: {label}" if task else label
        parts.append(
            f'<text x="4" y="{y + ROW - 7}" fill="#111">{_text(said)}</text>'
        )
    for k in range(7):
        time = recording.duration * k / 6
        anchor = "start" if k == 0 else "end" if k == 6 else "middle"
        parts.append(
            f'<text x="{time * scale:.0f}" y="{height - 5}" '
            f'text-anchor="{anchor}" fill="#555">{_clock(time)}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def _text(value):
    """Returns a text that is nothing else in XML."""
    return escape(printable(value), {'"': "&quot;"})


def _clock(seconds):
    """Returns a time as people write it.

    Example
    -------
    >>> _clock(75.25), _clock(3725)
    ('1:15.2', '1:02:05')
    """
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    if hours:
        return f"{hours}:{minutes:02d}:{int(rest):02d}"
    return f"{minutes}:{rest:04.1f}"
