"""Serves the page: on this machine only, unless a host is named."""

import contextlib
import os
import socket
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from speechbrain_petl.inference.serve.guard import LOCAL, Guard
from speechbrain_petl.inference.serve.limits import MEGABYTE, Limits
from speechbrain_petl.inference.serve.page import make_page
from speechbrain_petl.inference.serve.parts import gradio
from speechbrain_petl.inference.serve.service import Service
from speechbrain_petl.utils.optional import require

PORT = 7860
CSS = "#scores { overflow-wrap: anywhere }"  # labels may be long


def serve(
    sources: Mapping[str, str | os.PathLike],
    host: str = LOCAL[0],
    port: int = PORT,
    limits: Limits | None = None,
    say: Callable[[str], object] = print,
    **options: Any,
) -> None:
    """Serves artefacts as a page with an API, until it is stopped.

    Arguments
    ---------
    sources : mapping of str to str or Path
        Folder or hub id of the artefact of each task.
    host : str
        Address to listen on; ``0.0.0.0`` is all of this machine's.
    port : int
        Port; 0 takes one that is free.
    limits : Limits, optional
        What is accepted of a visitor.
    say : callable
        Told where the page is.
    **options : dict
        Further options of ``Service``: ``backbone``, ``device``, ``fetch``,
        ``precision``.

    Raises
    ------
    ValueError
        If Gradio is not installed, an artefact cannot be loaded, or the port
        is taken.
    """
    uvicorn = require("uvicorn", "serve", "serve")
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listen(host, port))
        uploads = tempfile.TemporaryDirectory(prefix="speechbrain-petl-")
        folder = stack.enter_context(uploads)
        service = Service(sources, limits, **options)
        app = make_app(service, folder, local=host in LOCAL)
        address = listener.getsockname()
        say(f"http://{address[0]}:{address[1]} (Ctrl-C ends it)")
        # An open page has a connection that would not end by itself.
        config = uvicorn.Config(
            app, log_level="warning", ws="none", timeout_graceful_shutdown=2
        )
        uvicorn.Server(config).run(sockets=[listener])


def make_app(
    service: Service, folder: str | os.PathLike, local: bool = True
) -> Guard:
    """Makes the page of a service as an application (ASGI).

    Arguments
    ---------
    service : Service
        What is asked.
    folder : str or path-like
        Where uploaded files are kept for an hour.
    local : bool
        If True, only this machine's user is answered, see ``Guard``.

    Returns
    -------
    Guard

    Raises
    ------
    ValueError
        If Gradio is not installed.
    """
    os.environ["GRADIO_TEMP_DIR"] = str(folder)  # read when it is made
    page = make_page(service, folder)
    gr = gradio()
    fastapi = require("fastapi", "serve", "serve")
    app = gr.mount_gradio_app(
        fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        page,
        path="/",
        # Fonts of the visitor's own system: none are fetched
        theme=gr.themes.Base(
            font=["system-ui", "sans-serif"], font_mono=["monospace"]
        ),
        css=CSS,
        footer_links=["api"],
        run_history=False,
        max_file_size=service.limits.bytes,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        enable_monitoring=False,
    )
    # A form has a little around its file.
    return Guard(app, service.limits.bytes + MEGABYTE, local)


def _listen(host, port):
    """Takes a port, or says why it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise ValueError(
            f"'{host}' cannot listen on port {port} ({error}): give another "
            "--port, or --host."
        ) from error
