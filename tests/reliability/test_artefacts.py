"""Artefacts from strangers: read as data, and refused where they are more."""

import hashlib
import json
import pickle
import re
import struct

import pytest
import torch
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.cli.main import main


class Evil:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.fixture
def artefact(make_artefact, tmp_path):
    """An artefact to spoil."""
    make_artefact(tmp_path / "artefact", "lora")
    return tmp_path / "artefact"


def put_tensors(artefact, content):
    """Exchanges the tensors, and the checksums that would give it away."""
    file = artefact / "petl.safetensors"
    old = hashlib.sha256(file.read_bytes()).hexdigest()
    new = hashlib.sha256(content).hexdigest()
    file.write_bytes(content)
    for name in ("artefact.json", "hyperparams.yaml"):
        text = (artefact / name).read_text()
        (artefact / name).write_text(text.replace(old, new))


def refused(artefact, tiny_folder, capsys, tmp_path):
    """What all ways that read artefacts as data say; nothing was executed."""
    with pytest.raises(ValueError) as caught:
        Artefact.open(artefact).load()
    (tmp_path / "clip.wav").write_bytes(b"")
    for command in (["verify"], ["predict"]):
        files = [str(tmp_path / "clip.wav")] * (command == ["predict"])
        code = main(
            [*command, str(artefact), *files, "--backbone", tiny_folder]
        )
        assert code == 2, "nothing was done"
        assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "owned").exists(), "code of the artefact was run"
    return str(caught.value)


@pytest.fixture(autouse=True)
def backbones(monkeypatch, tiny_folder):
    """Where the backbone is found."""
    from pathlib import Path

    folder = str(Path(tiny_folder).parent)
    monkeypatch.setenv("SPEECHBRAIN_PETL_BACKBONES", folder)


@pytest.mark.fault("artefact: pickle in disguise")
def test_a_pickle_in_disguise(artefact, tiny_folder, capsys, tmp_path):
    evil = Evil(tmp_path / "owned")
    for write in (pickle.dump, torch.save):
        with open(tmp_path / "evil", "wb") as file:
            write({"head.bias": evil}, file)
        put_tensors(artefact, (tmp_path / "evil").read_bytes())
        said = refused(artefact, tiny_folder, capsys, tmp_path)
        assert "petl.safetensors" in said


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 7,
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 200_000_000) + b" " * 1000,
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 60)
        + b'{"head.bias":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}}',
        struct.pack("<Q", 4) + b"nope",
    ],
    ids="empty short huge_header header_beyond_file no_tensors offsets no_json".split(),
)
@pytest.mark.fault("artefact: malformed or oversized safetensors header")
def test_malformed_tensors(content, artefact, tiny_folder, capsys, tmp_path):
    put_tensors(artefact, content)
    refused(artefact, tiny_folder, capsys, tmp_path)


ATTACKS = {
    "apply": "!apply:os.system [touch {}]",
    "new": "!new:subprocess.Popen [[touch, {}]]",
    "name": "!name:os.system [touch {}]",
    "applyref": "!applyref:os.system [touch {}]",
    "module": "!module:os",
    "python": "!!python/object/apply:os.system [touch {}]",
    "include": "!include:/etc/passwd",
    "torch_load": "!new:torch.load [{}]",
    "builtin": '!new:builtins.eval [\'open("{}", "w")\']',
    "inside_trusted": "!new:torch.nn.modules.module.os.system [touch {}]",
    "hub": "!new:torch.hub.load [{}, x]",
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("key", ["encoder", "classifier", "compute_features"])
@pytest.mark.fault("artefact: YAML that would construct something else")
def test_a_yaml_that_would_do_more(
    attack, key, artefact, tiny_folder, capsys, tmp_path
):
    file = artefact / "hyperparams.yaml"
    value = ATTACKS[attack].format(tmp_path / "owned")
    text = re.sub(
        rf"^{key}: .*\n(?: .*\n|\n)*",
        f"{key}: {value}\n",
        file.read_text(),
        flags=re.M,
    )
    assert value in text
    file.write_text(text)
    refused(artefact, tiny_folder, capsys, tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", '{"format": "speechbrain-petl"}', "{" * 100000, "\x00"],
    ids="empty list null no_version deep binary".split(),
)
@pytest.mark.fault("artefact: malformed metadata")
def test_malformed_metadata(text, artefact, tiny_folder, capsys, tmp_path):
    (artefact / "artefact.json").write_text(text)
    refused(artefact, tiny_folder, capsys, tmp_path)


@pytest.mark.parametrize(
    "key, value",
    [
        ("labels", None),
        ("labels", ["a"]),
        ("backbone", {}),
        ("backbone", {"source": 3, "revision": [], "fingerprint": 1}),
        ("tensors", {}),
        ("probe", {}),
        ("probe", "x"),
    ],
)
@pytest.mark.fault("artefact: malformed metadata")
def test_metadata_of_another_shape(
    key, value, artefact, tiny_folder, capsys, tmp_path
):
    file = artefact / "artefact.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), key: value}))
    refused(artefact, tiny_folder, capsys, tmp_path)


@pytest.mark.parametrize(
    "text", ["", "\x00\xff", "'a' => x\n", "'a' => 0\n" * 9]
)
@pytest.mark.fault("artefact: malformed label map")
def test_malformed_label_map(text, artefact, tiny_folder, capsys, tmp_path):
    (artefact / "label_encoder.txt").write_text(text, encoding="latin-1")
    refused(artefact, tiny_folder, capsys, tmp_path)
