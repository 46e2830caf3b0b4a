"""The part of the page that tells what is heard, and when."""

import base64
import functools
import json
from collections.abc import Mapping
from typing import Any

from speechbrain_petl.inference.label_files import as_json, label_texts
from speechbrain_petl.inference.serve import parts
from speechbrain_petl.inference.serve.service import Service
from speechbrain_petl.utils.messages import printable

AT_FIRST = 5  # labels
MOST_LABELS = 50
COLUMNS = ["start", "end", "label", "probability"]


def add_sounds(service: Service) -> None:
    """Adds the part, and the endpoints ``predict`` and ``timeline``.

    Arguments
    ---------
    service : Service
        What is asked; it has a task that gives labels.
    """
    gr = parts.gradio()
    with gr.Row():
        with gr.Column():
            clip = parts.audio("Sound")
            task = parts.choice(list(service.banks))
            top = gr.Slider(
                *(1, MOST_LABELS, AT_FIRST), step=1, label="Number of labels"
            )
            with gr.Accordion("Timeline: windows", open=False):
                fields = [
                    parts.field("Window (s)", "as in training"),
                    parts.field("Hop (s)", "half a window"),
                    parts.field("Least probability", "the artefact's"),
                    parts.field("Gap that is bridged (s)", "0"),
                ]
        with gr.Column():
            with gr.Row():
                ask = gr.Button("Labels", variant="primary", elem_id="ask")
                draw = gr.Button("Timeline", elem_id="draw")
            heard = gr.Textbox(
                label="Heard", interactive=False, elem_id="heard"
            )
            scores = gr.Label(
                label="Probabilities", show_heading=False, elem_id="scores"
            )
    picture = gr.HTML(elem_id="picture")
    spans = gr.Dataframe(
        headers=COLUMNS,
        datatype=["number", "number", "str", "number"],
        interactive=False,
        label="Timeline",
        elem_id="spans",
    )
    downloads = gr.HTML(elem_id="files")

    def show_labels(clip, task, top):
        """Shows what is heard, in words and bars."""
        found = parts.asked(service.predict, clip, task, int(top))
        return in_words(found), bars(found)

    def timeline(
        recording, task, window=None, hop=None, threshold=None, gap=None
    ):
        """Returns a timeline."""
        numbers = (window, hop, threshold, gap or 0.0)
        return service.timeline(recording, task, *numbers)

    def show_timeline(recording, task, *texts):
        """Shows a picture, a table and files."""
        line = parts.asked(
            lambda: timeline(recording, task, *map(parts.filled, texts))
        )
        rows = [
            [
                *(round(one.start, 2), round(one.end, 2)),
                *(printable(one.label), round(one.probability, 4)),
            ]
            for one in line.spans
        ]
        files = label_texts(*line)
        return image(files.pop(".svg")), rows, links(files)

    def predict(clip, task, top=AT_FIRST):
        """Returns labels as data."""
        return service.predict(clip, task, int(top))

    @functools.wraps(timeline)
    def timeline_as_data(*values):
        """Returns the rows of a timeline as data."""
        return json.loads(as_json(*timeline(*values)))

    hidden: dict[str, Any] = {
        "api_visibility": "private",
        **parts.ONE_AT_A_TIME,
    }
    ask.click(show_labels, [clip, task, top], [heard, scores], **hidden)
    draw.click(
        show_timeline,
        [clip, task, *fields],
        [picture, spans, downloads],
        **hidden,
    )
    parts.add_endpoint(
        predict,
        [clip, task, top],
        "predict",
        "Labels of a clip: heard, predictions and, where it is known, unknown.",
    )
    numbers = map(parts.number, ("Window", "Hop", "Threshold", "Gap"))
    parts.add_endpoint(
        timeline_as_data,
        [clip, task, *numbers],
        "timeline",
        "Spans of a recording: start, end, label, probability.",
    )


def in_words(found: Mapping[str, Any]) -> str:
    """Returns what is heard as a line.

    Arguments
    ---------
    found : mapping
        As ``Service.predict`` gives it.

    Example
    -------
    >>> in_words({"heard": ["dog", "cat"]}), in_words({"heard": []})
    ('dog, cat', 'none of the labels')
    >>> in_words({"heard": [], "unknown": True})
    'unknown'
    """
    if found.get("unknown"):
        return "unknown"
    names = map(printable, found["heard"])
    return ", ".join(names) or "none of the labels"


def bars(found: Mapping[str, Any]) -> dict[str, float]:
    """Returns the probability of each label.

    Example
    -------
    >>> bars({"predictions": [{"label": "dog", "probability": 0.75}]})
    {'dog': 0.75}
    """
    return {
        printable(one["label"]): one["probability"]
        for one in found["predictions"]
    }


def image(drawing: str) -> str:
    """Returns an SVG as HTML that holds no name and no label.

    They are inside of an image, where nothing runs.
    """
    return (
        '<img alt="Spectrogram with the labels below it" style="width: 100%" '
        f'src="{_uri("image/svg+xml", drawing)}">'
    )


def links(texts: Mapping[str, str]) -> str:
    """Returns links to files, by ending, whose content is in the links.

    Example
    -------
    >>> links({".csv": "a,b"})
    '<a download="timeline.csv" href="data:text/plain;base64,YSxi">timeline.csv</a>'
    """
    return " · ".join(
        f'<a download="timeline{ending}" href="{_uri("text/plain", text)}">'
        f"timeline{ending}</a>"
        for ending, text in texts.items()
    )


def _uri(kind, text):
    """Returns a text as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"
