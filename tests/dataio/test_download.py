"""Tests of downloading, against a server in this process."""

import hashlib
import io
import re
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from speechbrain_petl.dataio import download
from speechbrain_petl.dataio.download import DownloadError, fetch_archive

NOISE = bytes(range(256)) * 20000  # many chunks


class Handler(BaseHTTPRequestHandler):
    """Serves ``server.body`` in a way that a test chooses."""

    def do_GET(self):
        server, wanted = self.server, self.headers.get("Range")
        server.ranges.append(wanted)
        if server.fail_with:
            return self.send_error(server.fail_with)
        start = int(re.findall(r"\d+", wanted)[0]) if wanted else 0
        if wanted and server.knows_ranges:
            if start >= len(server.body):
                self.send_response(416)
                size = f"bytes */{len(server.body)}"
                self.send_header("Content-Range", size)
                return self.end_headers()
            self.send_response(206)
            end, size = len(server.body) - 1, len(server.body)
            first = start + server.shift
            self.send_header("Content-Range", f"bytes {first}-{end}/{size}")
        else:
            start = 0
            self.send_response(200)
        body = server.body[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if server.interruptions:
            server.interruptions -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *args):
        """Keeps quiet."""


@pytest.fixture
def server(monkeypatch):
    """A server on this machine; no waiting between tries."""
    monkeypatch.setattr(download.time, "sleep", lambda seconds: None)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:  # not compressed: it stays long
        file.writestr("top/meta.csv", "a")
        file.writestr("top/noise", NOISE)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.ranges, http.interruptions, http.shift = [], 0, 0
        http.fail_with, http.knows_ranges = None, True
        http.body = archive.getvalue()
        http.url = f"http://127.0.0.1:{http.server_port}/corpus.zip"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield http
        http.shutdown()
        thread.join()


def fetch(server, folder, body=None):
    """Fetches into ``folder/corpus``, with the hash of ``body``."""
    digest = hashlib.sha256(body or server.body).hexdigest()
    return fetch_archive(
        server.url, f"sha256:{digest}", folder / "corpus", top_level="top"
    )


def names(folder):
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_archive_becomes_the_corpus_and_nothing_else_is_left(server, tmp_path):
    assert fetch(server, tmp_path) == tmp_path / "corpus"
    assert (tmp_path / "corpus" / "noise").read_bytes() == NOISE
    assert names(tmp_path) == ["corpus"]
    assert names(tmp_path / "corpus") == ["meta.csv", "noise"]
    assert (tmp_path / "corpus").stat().st_mode & 0o055 == 0o055


def test_an_archive_that_is_there_is_not_downloaded_nor_deleted(
    server, tmp_path
):
    (tmp_path / "corpus.zip").write_bytes(server.body)
    fetch(server, tmp_path)
    assert server.ranges == []
    assert names(tmp_path) == ["corpus", "corpus.zip"]


@pytest.mark.fault("download: connection lost in the middle")
def test_interrupted_connections_are_resumed(server, tmp_path):
    server.interruptions = 6  # more than the tries: each gets further
    fetch(server, tmp_path)
    assert (tmp_path / "corpus" / "noise").read_bytes() == NOISE
    starts = [int(r[6:-1]) for r in server.ranges[1:]]
    assert len(starts) == 6 and starts == sorted(set(starts))


@pytest.mark.fault("download: killed, and run again")
def test_a_later_run_continues(server, tmp_path):
    half = len(server.body) // 2
    (tmp_path / "corpus.zip.part").write_bytes(server.body[:half])
    fetch(server, tmp_path)
    assert server.ranges == [f"bytes={half}-"]


def test_a_part_file_that_is_whole_already(server, tmp_path):
    (tmp_path / "corpus.zip.part").write_bytes(server.body)
    fetch(server, tmp_path)
    assert names(tmp_path) == ["corpus"]


@pytest.mark.fault("download: leftover that does not fit")
def test_a_part_file_that_is_too_long_is_thrown_away(server, tmp_path):
    (tmp_path / "corpus.zip.part").write_bytes(server.body + b"x")
    fetch(server, tmp_path)
    assert server.ranges[-1] is None and names(tmp_path) == ["corpus"]


def test_a_server_without_ranges_starts_over(server, tmp_path):
    server.knows_ranges = False
    (tmp_path / "corpus.zip.part").write_bytes(b"something old")
    server.interruptions = 1
    fetch(server, tmp_path)
    assert (tmp_path / "corpus" / "noise").read_bytes() == NOISE


@pytest.mark.fault("download: connection lost again and again")
def test_a_server_that_never_gets_further_is_given_up(server, tmp_path):
    server.knows_ranges, server.interruptions = False, 99
    with pytest.raises(DownloadError, match="run again to continue"):
        fetch(server, tmp_path)
    assert names(tmp_path) == ["corpus.zip.part"]


@pytest.mark.fault("download: server sends another part than asked")
def test_a_server_that_sends_another_range(server, tmp_path):
    (tmp_path / "corpus.zip.part").write_bytes(server.body[:100])
    server.shift = 1
    fetch(server, tmp_path)
    assert server.ranges == ["bytes=100-", None]


@pytest.mark.fault("download: wrong checksum")
def test_wrong_hash_is_deleted_and_both_hashes_are_named(server, tmp_path):
    with pytest.raises(ValueError) as error:
        fetch(server, tmp_path, body=b"other")
    message = str(error.value)
    assert server.url in message
    assert hashlib.sha256(b"other").hexdigest() in message
    assert hashlib.sha256(server.body).hexdigest() in message
    assert names(tmp_path) == []


@pytest.mark.parametrize("status, tries", [(500, 4), (503, 4), (404, 1)])
@pytest.mark.fault("download: error of the server")
def test_errors_of_the_server(status, tries, server, tmp_path):
    server.fail_with = status
    with pytest.raises(DownloadError, match=f"{status}.*download it elsewh"):
        fetch(server, tmp_path)
    assert len(server.ranges) == tries
    assert names(tmp_path) == []


@pytest.mark.fault("download: no network")
def test_no_network_says_what_to_do(server, tmp_path):
    server.url = "http://127.0.0.1:9/corpus.zip"
    with pytest.raises(DownloadError) as error:
        fetch(server, tmp_path)
    message = str(error.value)
    assert server.url in message and "ConnectionError" in message
    assert str(tmp_path / "corpus.zip") in message and "sha256:" in message
    assert names(tmp_path) == []


@pytest.mark.fault("download: destination in use")
def test_a_destination_in_use_is_left_alone(server, tmp_path):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "mine").touch()
    with pytest.raises(FileExistsError, match="not empty"):
        fetch(server, tmp_path)
    assert names(tmp_path / "corpus") == ["mine"] and not server.ranges


def test_an_empty_destination_and_missing_parents(server, tmp_path):
    (tmp_path / "a" / "b" / "corpus").mkdir(parents=True)
    fetch(server, tmp_path / "a" / "b")
    fetch(server, tmp_path / "c" / "d")
    assert names(tmp_path / "a" / "b" / "corpus") == ["meta.csv", "noise"]


@pytest.mark.fault("download: started twice at once")
def test_two_at_once_download_once(server, tmp_path):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(fetch(server, tmp_path)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [tmp_path / "corpus"] * 3
    assert server.ranges == [None], "asked for once, from the start"
    assert names(tmp_path) == ["corpus"]
