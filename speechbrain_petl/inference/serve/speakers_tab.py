"""The part of the page that compares the speakers of two clips."""

from collections.abc import Mapping
from typing import Any

from speechbrain_petl.inference.serve import parts
from speechbrain_petl.inference.serve.service import Service


def add_speakers(service: Service) -> None:
    """Adds the part, and the endpoint ``verify``.

    Arguments
    ---------
    service : Service
        What is asked; it has a task that compares speakers.
    """
    gr = parts.gradio()
    with gr.Row():
        one, other = parts.audio("One voice"), parts.audio("Another voice")
    task = parts.choice(list(service.speakers))
    least = parts.field("Threshold", "the artefact's")
    ask = gr.Button("Compare", variant="primary", elem_id="compare")
    said = gr.Textbox(label="Speakers", interactive=False, elem_id="said")

    def show(one, other, task, text):
        """Shows decision and score."""
        found = parts.asked(
            lambda: service.compare(one, other, task, parts.filled(text))
        )
        return in_words(found)

    def verify(one, other, task, threshold=None):
        """Returns decision and score as data."""
        return service.compare(one, other, task, threshold)

    ask.click(
        show,
        [one, other, task, least],
        said,
        api_visibility="private",
        **parts.ONE_AT_A_TIME,
    )
    parts.add_endpoint(
        verify,
        [one, other, task, parts.number("Threshold")],
        "verify",
        "Whether two clips are of one speaker: score, threshold, same.",
    )


def in_words(found: Mapping[str, Any]) -> str:
    """Returns a comparison as a line.

    Example
    -------
    >>> in_words({"score": 0.5, "threshold": 0.25, "same": True})
    'same speaker (score 0.5000, threshold 0.2500)'
    """
    verdict = "same speaker" if found["same"] else "other speaker"
    return (
        f"{verdict} (score {found['score']:.4f}, "
        f"threshold {found['threshold']:.4f})"
    )
