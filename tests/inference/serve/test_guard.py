"""What stands before the page."""

import asyncio

import pytest
from speechbrain_petl.inference.serve.guard import Guard


def ask(path="/", headers=(), body=(b"",), local=True, most=100):
    """Sends a request; returns the status, the headers and what arrived."""
    arrived, sent = [], []

    async def app(scope, receive, send):
        while True:
            message = await receive()
            arrived.append(message)
            if not message.get("more_body"):
                break
        await send(
            {"type": "http.response.start", "status": 200, "headers": []}
        )

    parts = [
        {"type": "http.request", "body": part, "more_body": i + 1 < len(body)}
        for i, part in enumerate(body)
    ]

    async def receive():
        return parts.pop(0)

    async def send(message):
        sent.append(message)

    named = {b"host": b"127.0.0.1:7860", **dict(headers)}
    scope = {"type": "http", "path": path, "headers": list(named.items())}
    asyncio.run(Guard(app, most, local)(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), arrived


def test_a_page_may_ask_nobody_else():
    status, headers, _ = ask()
    assert status == 200
    policy = headers[b"content-security-policy"].decode()
    assert policy.startswith("default-src 'self';") and "http" not in policy


@pytest.mark.parametrize(
    "headers, status",
    [
        ({b"host": b"localhost:1"}, 200),
        ({b"host": b"evil.example"}, 403),
        ({b"host": b"127.0.0.1.evil.example:7860"}, 403),
        ({b"host": b""}, 403),
        ({b"origin": b"http://127.0.0.1:7860"}, 200),
        ({b"origin": b"http://127.0.0.1:8000"}, 403),
        ({b"origin": b"null"}, 403),
        ({b"content-length": b"100"}, 200),
        ({b"content-length": b"101"}, 413),
        ({b"content-length": b"-1"}, 413),
    ],
)
def test_on_this_machine_only_its_user_is_answered(headers, status):
    assert ask(headers=headers)[0] == status
    if status != 403:
        assert ask(headers=headers, local=False)[0] == status
    else:
        assert ask(headers=headers, local=False)[0] == 200


def test_a_body_without_an_end_is_cut():
    _, _, arrived = ask(body=[b"x" * 60] * 5)
    assert [m["type"] for m in arrived] == ["http.request", "http.disconnect"]


@pytest.mark.parametrize(
    "path, status",
    [
        ("/gradio_api/upload", 200),
        ("/gradio_api/file=/tmp/x/a.wav", 200),
        ("/gradio_api/proxy=https://example.com", 404),
        ("/gradio_api/component_server", 404),
        ("/gradio_api/vibe-edit", 404),
        ("/monitoring", 404),
        ("/login", 404),
    ],
)
def test_only_what_the_page_needs_is_there(path, status):
    assert ask(path)[0] == status
