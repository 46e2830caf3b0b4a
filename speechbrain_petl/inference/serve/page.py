"""The page, with an API that it documents."""

import os
from typing import Any

from speechbrain_petl.inference.serve import parts
from speechbrain_petl.inference.serve.service import Service
from speechbrain_petl.inference.serve.sounds_tab import add_sounds
from speechbrain_petl.inference.serve.speakers_tab import add_speakers
from speechbrain_petl.utils.messages import markdown

TITLE = "What is heard"
WAITING = 64  # requests


def make_page(service: Service, folder: str | os.PathLike) -> Any:
    """Makes the page of a service, not yet served.

    Labels, names of files and messages are text on it, whatever they hold.

    Arguments
    ---------
    service : Service
        What is asked.
    folder : str or path-like
        Where uploaded files are.

    Returns
    -------
    gradio.Blocks

    Raises
    ------
    ValueError
        If Gradio is not installed.
    """
    gr = parts.gradio()
    with parts.blocks(TITLE, folder) as page:
        gr.Markdown(f"# {TITLE}")
        with gr.Tabs():
            if service.banks:
                with gr.Tab("Sounds"):
                    add_sounds(service)
            if service.speakers:
                with gr.Tab("Speakers"):
                    add_speakers(service)
            with gr.Tab("About"):
                gr.Markdown(about(service), elem_id="about")
        parts.add_endpoint(
            service.describe, [], "tasks", "What can be asked, by task."
        )
    # Nothing skips the queue, in which one request at a time has the model.
    page.queue(max_size=WAITING, api_open=False)
    return page


def about(service: Service) -> str:
    """Returns what is served, as Markdown."""
    lines = []
    for task, facts in service.describe().items():
        labels = ", ".join(map(markdown, facts["labels"])) or "no labels"
        lines.append(
            f"**{markdown(task)}**: {markdown(facts['for'])}, trained by "
            f"{markdown(facts['method'])} on {markdown(facts['corpus'])}; "
            f"{labels}."
        )
    return "\n\n".join(lines)
