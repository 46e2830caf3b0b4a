"""The hub: a stand-in server on this machine answers the real calls."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from speechbrain_petl.artefacts.fetch import fetch
from speechbrain_petl.artefacts.format import FILES
from speechbrain_petl.artefacts.open import Artefact

REPO = "someone/adapter"


class Hub(BaseHTTPRequestHandler):
    """As much of the hub's interface as uploads and downloads use."""

    commits, branches, requests = {}, {}, []

    def answer(self, content=b"", status=200, **headers):
        """Sends a response; a dict as JSON."""
        if isinstance(content, (dict, list)):
            content = json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.requests.append((self.path, self.headers.get("Authorization")))
        name = self.path.rpartition("/")[2]
        if self.path == "/api/repos/create":
            self.branches.setdefault("main", "0" * 40)
            self.commits.setdefault("0" * 40, {})
            return self.answer({"url": f"http://{self.headers['Host']}/{REPO}"})
        if self.path == "/api/validate-yaml":
            return self.answer({"warnings": [], "errors": []})
        if "/branch/" in self.path:
            self.branches[name] = self.branches["main"]
            return self.answer({})
        if "/preupload/" in self.path:
            files = json.loads(body)["files"]
            modes = [
                {
                    "path": f["path"],
                    "uploadMode": "regular",
                    "shouldIgnore": False,
                }
                for f in files
            ]
            return self.answer({"files": modes})
        if "/commit/" in self.path:
            files = dict(self.commits[self.branches[name]])
            for line in body.splitlines():
                item = json.loads(line)
                if item["key"] == "file":
                    value = item["value"]
                    files[value["path"]] = base64.b64decode(value["content"])
            commit = hashlib.sha1(body).hexdigest()
            self.commits[commit] = files
            self.branches[name] = commit
            url = f"http://{self.headers['Host']}/{REPO}/commit/{commit}"
            return self.answer({"commitUrl": url, "commitOid": commit})
        return self.answer(status=404)

    def do_GET(self):
        info = re.fullmatch(rf"/api/models/{REPO}(/revision/(\w+))?", self.path)
        if info:
            commit = self.branches.get(info[2] or "main", info[2])
            if commit not in self.commits:
                return self.answer(status=404, X_Error_Code="RevisionNotFound")
            files = [{"rfilename": name} for name in self.commits[commit]]
            return self.answer({"id": REPO, "sha": commit, "siblings": files})
        tree = re.fullmatch(rf"/api/models/{REPO}/tree/(\w+)\?.*", self.path)
        if tree:
            return self.answer(
                [
                    {
                        "type": "file",
                        "path": name,
                        "size": len(content),
                        "oid": hashlib.sha1(content).hexdigest(),
                    }
                    for name, content in self.commits[tree[1]].items()
                ]
            )
        file = re.fullmatch(rf"/{REPO}/resolve/(\w+)/(.+)", self.path)
        if file:
            commit = self.branches.get(file[1], file[1])
            content = self.commits.get(commit, {}).get(file[2])
            if content is None:
                return self.answer(status=404, X_Error_Code="EntryNotFound")
            tag = hashlib.sha1(content).hexdigest()
            return self.answer(content, ETag=f'"{tag}"', X_Repo_Commit=commit)
        return self.answer(status=404, X_Error_Code="RepoNotFound")

    do_HEAD = do_GET

    def log_message(self, *args):
        """Says nothing."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Runs code in a process of its own that takes the stand-in for the hub."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        **os.environ,
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(tmp_path_factory.mktemp("hf")),
        "HF_TOKEN": "hf_standin",
        "NO_PROXY": "127.0.0.1",
    }

    def run(code, *arguments, **more):
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            capture_output=True,
            text=True,
            env={**environment, **more},
        )

    yield run
    server.shutdown()


CLI = """
import sys
from speechbrain_petl.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_there_and_back_again(hub, make_artefact, tmp_path, tiny_folder):
    folder = tmp_path / "artefact"
    make_artefact(folder)
    (folder / "notes.txt").write_text("not for others")
    done = hub(CLI, "push", folder, REPO, "--license", "cc-by-4.0")
    assert done.returncode == 0, done.stderr
    first = done.stdout.split()[-1].rstrip(".")
    assert sorted(Hub.commits[first]) == sorted(FILES)
    assert b"license: cc-by-4.0" in Hub.commits[first]["README.md"]
    assert ("/api/repos/create", "Bearer hf_standin") in Hub.requests

    with pytest.raises(ValueError, match="holds 'notes.txt', which is not"):
        make_artefact(folder, labels="vwxyz")
    (folder / "notes.txt").unlink()
    make_artefact(folder, labels="vwxyz")
    done = hub(CLI, "push", folder, REPO, "--revision", "better")
    assert done.returncode == 0, done.stderr
    second = Hub.branches["better"]

    for revision, commit in [
        ("main", first),
        ("better", second),
        (first, first),
    ]:
        copy = tmp_path / f"copy {revision}"
        done = hub(CLI, "pull", REPO, copy, "--revision", revision)
        assert done.returncode == 0, done.stderr
        assert done.stdout.split()[-1] == f"{commit}."
        assert sorted(p.name for p in copy.iterdir()) == sorted(FILES)
        for name in FILES:
            content = (copy / name).read_bytes()
            assert content == Hub.commits[commit][name]
            assert not (copy / name).is_symlink()
    done = hub(
        CLI, "verify", REPO, "--revision", first, "--backbone", tiny_folder
    )
    assert done.returncode == 0, done.stderr
    assert "3 classes" in done.stdout


LOAD = """
import sys
from speechbrain.utils.fetching import FetchConfig
from speechbrain_petl.inference import PETLClassifier
c = PETLClassifier.from_hparams(
    sys.argv[1],
    savedir=sys.argv[3],
    fetch_config=FetchConfig(revision=sys.argv[4]),
    overrides={"source": sys.argv[2]},
)
print(len(c.hparams.label_encoder))
"""


@pytest.mark.slow
def test_the_interface_loads_from_the_hub(
    hub, make_artefact, tiny_folder, tmp_path
):
    for labels, revision in (("abc", "main"), ("vwxyz", "better")):
        make_artefact(tmp_path / revision, labels=labels)
        arguments = [tmp_path / revision, REPO, "--revision", revision]
        assert hub(CLI, "push", *arguments).returncode == 0
    commit = Hub.branches["better"]
    done = hub(LOAD, REPO, tiny_folder, tmp_path / "a", commit)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "5"
    offline = hub(
        LOAD, REPO, tiny_folder, tmp_path / "b", commit, HF_HUB_OFFLINE="1"
    )
    assert offline.returncode == 0, offline.stderr
    other = hub(LOAD, REPO, tiny_folder, tmp_path / "a", Hub.branches["main"])
    assert "a savedir of its own" in other.stderr


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["pull", "no/such", "x"], "'no/such' is no folder, and cannot be"),
        (["pull", REPO, "x", "--revision", "nope"], "at revision 'nope'"),
        (["pull", "not an id!", "x"], "'not an id!' is no folder"),
    ],
)
def test_what_cannot_be_fetched(hub, tmp_path, arguments, message):
    done = hub(CLI, *arguments)
    assert done.returncode == 2 and message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "x").exists()


def test_only_whole_artefacts_are_pushed(make_artefact, tmp_path):
    make_artefact(tmp_path / "a")
    assert Artefact.open(tmp_path / "a").labels == ["a", "b", "c"]
    content = (tmp_path / "a" / "petl.safetensors").read_bytes()
    (tmp_path / "a" / "petl.safetensors").write_bytes(content[:-1] + b"x")
    with pytest.raises(ValueError, match="damaged or exchanged"):
        Artefact.open(tmp_path / "a")
    (tmp_path / "a" / "hyperparams.yaml").unlink()
    with pytest.raises(ValueError, match="there is no hyperparams.yaml"):
        Artefact.open(tmp_path / "a")
    assert fetch(tmp_path / "a") == (tmp_path / "a", False)
