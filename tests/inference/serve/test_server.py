"""A server in a thread: its API, what it refuses, and the documents' example."""

import json
import re
import socket
import subprocess
from http.client import HTTPConnection
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from speechbrain_petl.inference.serve import server

pytest.importorskip("gradio", reason="the extra 'serve' brings gradio")
DOCUMENT = Path(__file__).parents[3] / "docs" / "SERVING.md"


@pytest.fixture(scope="module")
def client(url):
    """Gradio's client of the server."""
    from gradio_client import Client

    return Client(url, verbose=False)


def asked(client, *values, **more):
    """What an endpoint answers."""
    from gradio_client import handle_file

    return client.predict(
        *(handle_file(v) if "/" in str(v) else v for v in values), **more
    )


def test_labels(client, service, clips):
    expected = service.predict(clips["good"], "evil", 2)
    found = asked(client, clips["good"], "evil", 2, api_name="/predict")
    assert found == json.loads(json.dumps(expected))
    unknown = asked(client, clips["good"], "plain", api_name="/predict")
    assert unknown["unknown"] and unknown["heard"] == []


def test_a_timeline(client, clips):
    found = asked(client, clips["good"], "tags", api_name="/timeline")
    assert found["file"] == "good.wav" and found["duration"] == 1.2
    assert {one["label"] for one in found["spans"]} == {"bark", "siren"}


def test_speakers_and_tasks(client, service, clips):
    pair = clips["good"], clips["another"]
    found = asked(client, *pair, "voices", api_name="/verify")
    assert found == service.compare(*pair, "voices")
    assert client.predict(api_name="/tasks") == service.describe()


@pytest.mark.parametrize(
    "name, said",
    [
        ("text", "'text.wav' cannot be read as audio"),
        ("long", "'long.flac' lasts 6.0 s, and more than 5 s are not taken"),
    ],
)
def test_what_cannot_be_used(client, clips, name, said):
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError, match=said):
        asked(client, clips[name], "plain", api_name="/predict")


def status(url, headers=(), body=None):
    """Status of the answer to a request, and its text."""
    request = Request(url, data=body, headers=dict(headers))
    try:
        with urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def upload(url, content):
    """Sends a file."""
    start = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"'
    body = start + b"\r\n\r\n" + content + b"\r\n--x--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    return status(f"{url}/gradio_api/upload", kind, body)


def test_a_file_that_is_too_large(url):
    assert upload(url, b"x" * 400_000)[0] == 200
    assert upload(url, b"x" * 600_000)[0] == 413  # above Gradio's limit
    # Above ours, which does not wait for it
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.putrequest("POST", "/gradio_api/upload")
    connection.putheader("Content-Length", "1600000")
    connection.endheaders()
    assert connection.getresponse().status == 413


def test_others_are_not_answered(url):
    assert status(url)[0] == 200
    assert status(url, {"Host": "evil.example"})[0] == 403
    assert status(url, {"Origin": "http://evil.example"})[0] == 403
    assert status(f"{url}/gradio_api/file=/etc/passwd")[0] == 403
    assert status(f"{url}/gradio_api/proxy=http://example.com")[0] == 404
    kind = {"Content-Type": "application/json"}
    past = status(
        f"{url}/gradio_api/run/predict", kind, b'{"data": [null, "plain", 5]}'
    )
    assert past[0] == 404  # nothing skips the queue


def code(language):
    """The example of a language in the documents."""
    text = DOCUMENT.read_text(encoding="utf-8")
    text = text.partition("## A page")[2].partition("\n## ")[0]
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", text, re.S | re.M)
    return found


def test_the_documents_python_runs(url, clips, monkeypatch, tmp_path, capsys):
    (tmp_path / "clip.wav").write_bytes(Path(clips["good"]).read_bytes())
    monkeypatch.chdir(tmp_path)
    exec(code("python").replace("http://127.0.0.1:7860", url), {})
    assert "predictions" in capsys.readouterr().out


def test_the_documents_curl_runs(url, clips, tmp_path):
    (tmp_path / "clip.wav").write_bytes(Path(clips["good"]).read_bytes())
    run = subprocess.run(
        ["sh", "-ec", code("sh").replace("http://127.0.0.1:7860", url)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    assert "event: complete" in run.stdout and '"predictions"' in run.stdout


def test_it_listens_here_only_and_leaves_nothing(
    artefacts, tiny_folder, monkeypatch
):
    import uvicorn

    seen, said = {}, []

    def run(self, sockets):
        seen["address"] = sockets[0].getsockname()
        seen["folder"] = server.os.environ["GRADIO_TEMP_DIR"]
        seen["local"] = self.config.app.local
        assert Path(seen["folder"]).is_dir()

    monkeypatch.setattr(uvicorn.Server, "run", run)
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")
    source = {"plain": artefacts["plain"]}
    server.serve(source, port=0, say=said.append, backbone=tiny_folder)
    host, port = seen["address"]
    assert host == "127.0.0.1" and seen["local"]
    assert said == [f"http://127.0.0.1:{port} (Ctrl-C ends it)"]
    assert not Path(seen["folder"]).exists()
    server.serve(*(source, "0.0.0.0", 0), say=said.append, backbone=tiny_folder)
    assert seen["address"][0] == "0.0.0.0" and not seen["local"]


def test_a_port_that_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ValueError, match=f"cannot listen on port {port} "):
            server.serve({"a": str(tmp_path)}, port=port)
    with pytest.raises(ValueError, match="'256.0.0.1' cannot listen"):
        server.serve({"a": str(tmp_path)}, host="256.0.0.1")
    with pytest.raises(ValueError, match="cannot listen on port 70000"):
        server.serve({"a": str(tmp_path)}, port=70000)
