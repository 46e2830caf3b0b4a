"""What the page is made of: Gradio's components, held tight."""

import functools
import html
import math
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from speechbrain_petl.inference.serve.service import Refused
from speechbrain_petl.utils.messages import printable
from speechbrain_petl.utils.optional import require

KEPT = 3600  # seconds, of what was uploaded
EXAMPLE = {"path": "clip.wav", "meta": {"_type": "gradio.FileData"}}
ONE_AT_A_TIME: dict[str, Any] = {
    "concurrency_limit": 1,
    "concurrency_id": "model",
}


def gradio() -> Any:
    """Imports Gradio, and keeps it from telling others that it is used.

    Returns
    -------
    module

    Raises
    ------
    ValueError
        If it is not installed.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    return require("gradio", "serve", "serve")


def blocks(title: str, folder: str | os.PathLike) -> Any:
    """Makes a page that takes files of one folder only.

    Gradio itself, mounted in an application, would read any file of this
    machine that a request names, and fetch what has an address.

    Arguments
    ---------
    title : str
        Its title.
    folder : str or path-like
        Where uploaded files are.

    Returns
    -------
    gradio.Blocks
    """
    gr = gradio()
    plain: Any = gr.Blocks
    uploads = Path(folder).resolve()

    class Page(plain):
        """Looks at all that a request brings, before anything else does."""

        async def preprocess_data(self, block_fn, inputs, *args, **kwargs):
            """Refuses files that were not uploaded here."""
            for path in named_files(inputs):
                if not is_inside(path, uploads):
                    raise gr.Error(
                        "Upload the audio itself: no other file is read.",
                        print_exception=False,
                    )
            return await super().preprocess_data(
                block_fn, inputs, *args, **kwargs
            )

    return Page(title=title, analytics_enabled=False, delete_cache=(KEPT, KEPT))


def named_files(data: Any) -> Iterator[str]:
    """Yields each path that JSON names, however deep.

    Example
    -------
    >>> list(named_files([{"path": "/x", "meta": {}}, {"a": [{"path": "y"}]}]))
    ['/x', 'y']
    """
    if isinstance(data, dict):
        if "path" in data:
            yield str(data["path"])
        data = list(data.values())
    if isinstance(data, list | tuple):
        for value in data:
            yield from named_files(value)


def is_inside(path: str, folder: Path) -> bool:
    """Returns True if a path is of a regular file somewhere in a folder.

    Example
    -------
    >>> is_inside("http://x/a.wav", Path("/tmp"))
    False
    """
    try:
        found = Path(path).resolve()
        return found.is_relative_to(folder) and found.is_file()
    except (OSError, ValueError):  # such as a name with a null character
        return False


def audio(label: str) -> Any:
    """Makes a component for a file or a recording."""
    made = gradio().Audio(
        label=label,
        sources=["upload", "microphone"],
        type="filepath",  # which our own reader opens, not ffmpeg
        buttons=[],
        elem_id=label.lower().replace(" ", "_"),
    )
    # Of the documentation, whose own example is an address elsewhere
    made.example_payload = made.example_value = lambda: EXAMPLE
    return made


def choice(tasks: Sequence[str]) -> Any:
    """Makes the choice of a task, which is seen if there is one."""
    return gradio().Radio(
        list(tasks), value=tasks[0], label="Task", visible=len(tasks) > 1
    )


def field(label: str, empty: str) -> Any:
    """Makes a field for a number that may be left empty.

    It is one for text, as Gradio's for numbers says 0 where it is empty.
    """
    return gradio().Textbox(label=label, placeholder=empty, max_lines=1)


def filled(text: str | None) -> float | None:
    """Returns the number in a field.

    Raises
    ------
    Refused
        If something else is there.

    Example
    -------
    >>> filled(" 0.5 "), filled("0"), filled("")
    (0.5, 0.0, None)
    """
    if not (text or "").strip():
        return None
    try:
        found = float(str(text))
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise Refused(f"'{printable(text)}' is no number.")
    return found


def number(label: str, value: float | None = None) -> Any:
    """Makes a number of an endpoint; it is not on the page."""
    return gradio().Number(value, label=label, visible=False)


def add_endpoint(
    function: Callable[..., Any],
    inputs: Sequence[Any],
    name: str,
    description: str,
) -> None:
    """Adds a named endpoint that gives JSON; nothing of it is on the page.

    Arguments
    ---------
    function : callable
        Answers; its parameters name those of the endpoint.
    inputs : sequence of gradio.components.Component
        What its parameters are like.
    name : str
        Name of the endpoint.
    description : str
        What the documentation says of it.
    """
    gr = gradio()

    @functools.wraps(function)
    def answer(*values):
        """Returns what the function does, or shows why it is refused."""
        return asked(function, *values)

    gr.Button(visible=False).click(
        answer,
        inputs,
        gr.JSON(label="Answer", visible=False),
        api_name=name,
        api_description=description,
        **ONE_AT_A_TIME,
    )


def asked(function: Callable[..., Any], *values: Any) -> Any:
    """Calls a function; what is refused is shown, as text.

    Raises
    ------
    gradio.Error
        If it is refused.
    """
    try:
        return function(*values)
    except Refused as error:
        # Gradio shows the message of an error as HTML.
        said = html.escape(str(error), quote=False)
        raise gradio().Error(
            said, duration=None, print_exception=False
        ) from error
