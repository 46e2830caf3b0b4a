"""``report.html``: one page that opens from disk, with sounds and pictures."""

import base64
import io
import math
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import soundfile
from speechbrain_petl.adapt.sounds import Sounds
from speechbrain_petl.utils.files import write_file
from speechbrain_petl.utils.messages import printable
from speechbrain_petl.utils.png import heat_png
from speechbrain_petl.utils.spectrogram import spectrogram

TEMPLATE = Path(__file__).parent / "page.html.jinja"
RATE = 16000
SECONDS = 10.0  # of a sound that can be played
WIDTH, HEIGHT, MARGIN = 420, 180, 36  # of the learning curve


def write_page(path: Path, facts: dict[str, Any], sounds: Sounds) -> None:
    """Writes the page.

    It needs no other file and no network, and runs no script. Names and
    labels are text in it, whatever they hold.

    Arguments
    ---------
    path : Path
        File to write.
    facts : dict
        Content of ``report.json``.
    sounds : Sounds
        Where the clips are found that are shown.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, finalize=visible
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    text = template.render(
        facts=facts,
        names=list(facts["classes"]),
        task=sounds.task,
        curve=curve_points(facts["learning_curve"], facts["metric"]),
        mistakes=[_with_media(one, sounds) for one in facts["mistakes"]],
        doubts=[_with_media(one, sounds) for one in facts["doubtful_labels"]],
    )
    write_file(str(path), text + "\n")


def visible(value: object) -> object:
    """Makes what is invisible in a text visible; markup stays as it is."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return printable(value)


def curve_points(
    curve: list[dict[str, float]], metric: str = "accuracy"
) -> dict[str, Any]:
    """Places a learning curve in a drawing: clips of a class, doubled, right.

    Example
    -------
    >>> curve_points(
    ...     [
    ...         {"clips_per_class": 1, "valid_accuracy": 0.5},
    ...         {"clips_per_class": 4, "valid_accuracy": 1.0},
    ...     ]
    ... )["points"]
    [(36.0, 90.0, 1, 0.5), (384.0, 36.0, 4, 1.0)]
    """
    logs = [math.log2(one["clips_per_class"]) for one in curve]
    span = max(logs[-1], 1.0)
    inner = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    points = [
        (
            round(MARGIN + log / span * inner[0], 1),
            round(HEIGHT - MARGIN - one[f"valid_{metric}"] * inner[1], 1),
            one["clips_per_class"],
            one[f"valid_{metric}"],
        )
        for log, one in zip(logs, curve, strict=True)
    ]
    return {
        "points": points,
        "width": WIDTH,
        "height": HEIGHT,
        "margin": MARGIN,
    }


def _with_media(row, sounds):
    """Adds a player and a spectrogram of a clip to a row."""
    return {**row, **media(sounds, row["split"], row["clip"])}


def media(sounds: Sounds, split: str, name: str) -> dict[str, str]:
    """Returns a clip as data URIs: ``audio`` (Ogg) and ``image`` (PNG).

    Arguments
    ---------
    sounds : Sounds
        Where to find it.
    split : str
        Its split.
    name : str
        Its id in the manifest.
    """
    dataset = sounds.dataset(split, RATE).filtered_sorted(
        key_test={"id": lambda value: value == name}
    )
    wave = dataset[0]["sig"].numpy()[: int(SECONDS * RATE)]
    audible = wave / max(1.0, float(np.abs(wave).max()))
    file = io.BytesIO()
    soundfile.write(file, audible, RATE, format="OGG", subtype="VORBIS")
    picture = heat_png(spectrogram(wave, RATE))
    return {
        "audio": _uri("audio/ogg", file.getvalue()),
        "image": _uri("image/png", picture),
    }


def _uri(kind, content):
    """Returns content as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
