"""What stands before the page: who may ask, how much, and what a page may do."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOCAL = ("127.0.0.1", "localhost")
# What the page asks for, and an API's client; all else that Gradio has is shut.
OPEN = ("config", "theme.css", "static", "assets", "svelte", "favicon.ico")
OPEN_API = (
    *("info", "openapi.json", "upload", "upload_progress", "queue", "call"),
    *("file", "heartbeat", "cancel", "reset", "startup-events", "app_id"),
    "theme.css",
)
# Gradio's page has scripts and styles inside of it, and compiles some.
POLICY = (
    "default-src 'self'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class Guard:
    """Passes requests on to an application, or refuses them.

    The browser is told to ask no other server for anything. On this machine
    only, requests in the name of another host, or from a page of another
    site, are refused: they are not this machine's user's.

    Arguments
    ---------
    app : callable
        Application (ASGI).
    most : int
        Most bytes of a request.
    local : bool
        If True, the server is for this machine only.
    """

    def __init__(self, app: App, most: int, local: bool):
        self.app, self.most, self.local = app, most, local

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serves a request."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        headers = {k.lower(): v.decode("latin-1") for k, v in scope["headers"]}
        refusal = self.refusal(
            headers.get(b"host", ""),
            headers.get(b"origin"),
            headers.get(b"content-length", "0"),
        )
        if not refusal and not is_open(scope.get("path", "")):
            refusal = 404, "There is nothing here."
        if scope["type"] != "http":  # the page needs no web socket
            refusal = 403, "Only HTTP is served here."
        if refusal:
            return await _refuse(send, *refusal)
        await self.app(scope, self._bounded(receive), _with_headers(send))

    def refusal(
        self, host: str, origin: str | None, length: str
    ) -> tuple[int, str] | None:
        """Returns status and reason, if a request is refused.

        Arguments
        ---------
        host : str
            Whom it is addressed to.
        origin : str or None
            Page that it comes from.
        length : str
            Bytes that it says to have.

        Example
        -------
        >>> guard = Guard(None, most=10, local=True)
        >>> guard.refusal("127.0.0.1:80", "http://127.0.0.1:80", "10")
        >>> guard.refusal("evil.example", None, "0")
        (403, 'This page is for this machine only.')
        >>> guard.refusal("localhost:80", "http://evil.example", "0")[0]
        403
        >>> guard.refusal("localhost", None, "11")[0]
        413
        """
        if self.local:
            if host.rpartition(":")[0] not in LOCAL and host not in LOCAL:
                return 403, "This page is for this machine only."
            if origin is not None and origin.rpartition("//")[2] != host:
                return 403, "This comes from a page of another site."
        if not length.isdecimal() or int(length) > self.most:
            return 413, f"A request has at most {self.most:,} bytes here."
        return None

    def _bounded(self, receive):
        """Ends a request that brings more bytes than it may."""
        received = 0

        async def bounded():
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.most:
                return {"type": "http.disconnect"}
            return message

        return bounded


def is_open(path: str) -> bool:
    """Returns True if a path is one that is served.

    Example
    -------
    >>> is_open("/"), is_open("/gradio_api/call/predict")
    (True, True)
    >>> is_open("/gradio_api/file=/tmp/a.wav"), is_open("/gradio_api/vibe-code")
    (True, False)
    """
    first, _, rest = path.strip("/").partition("/")
    if first == "gradio_api":
        return rest.partition("/")[0].partition("=")[0] in OPEN_API
    return first == "" or first in OPEN


def _with_headers(send):
    """Adds our headers to a response."""

    async def sending(message):
        if message["type"] == "http.response.start":
            message = {
                **message,
                "headers": [*message.get("headers", []), *HEADERS],
            }
        await send(message)

    return sending


async def _refuse(send, status, reason):
    """Sends a response of one line."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", b"text/plain; charset=utf-8")],
        }
    )
    await send({"type": "http.response.body", "body": reason.encode()})
