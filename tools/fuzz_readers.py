#!/usr/bin/env python3
"""Feeds damaged files to all that reads artefacts, manifests and metadata.

Each round takes a valid file, damages it (bytes changed, cut, doubled, moved,
or exchanged for ones that mean something in its format) and reads it. A
reader may refuse with a ValueError or an OSError; anything else is a finding,
and is written with the file that caused it. Half of the time goes to whole
artefacts that ask for more than they may (``fuzz_artefacts.py``).

> python tools/fuzz_readers.py --minutes 20 --seed 2027
"""

import argparse
import hashlib
import json
import random
import resource
import runpy
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import torch
from safetensors.torch import save
from speechbrain_petl.artefacts.blueprint import Blueprint
from speechbrain_petl.artefacts.format import read_metadata
from speechbrain_petl.artefacts.tasks import tail
from speechbrain_petl.artefacts.tensors import fill
from speechbrain_petl.dataio.audio import look_at, read_audio
from speechbrain_petl.dataio.datasets import read_manifest
from speechbrain_petl.dataio.labels import load_label_encoder
from speechbrain_petl.dataio.metadata import read_table
from speechbrain_petl.dataio.trials import load_trials, read_voxceleb_list
from speechbrain_petl.experiments.planning.plan import load_plan
from torch import nn

from speechbrain.dataio.preprocess import AudioNormalizer

ALLOWED = (ValueError, OSError)
TOKENS = [
    b"null", b"[]", b"{}", b"-1", b"1e999", b"NaN", b'""', b"\\u0000", b"\x00",
    b"\xff\xfe", b"!new:os.system", b"!apply:os.system", b"../", b",", b'"',
    b"\n", b"{data_root}", b"9" * 30, b"=> 0", b"!ref <x>", b"&a *a", b"---",
]  # fmt: skip
METADATA = {
    "format": "speechbrain-petl",
    "format_version": 2,
    "method": "x",
    "trainable": {"method": 1},
    "training": {"corpus": "x", "hyperparameters": {"lr": 0.1}},
    "metrics": {"accuracy": 0.5},
    "labels": ["a", "b"],
    "backbone": {
        "source": "x",
        "revision": None,
        "fingerprint": "0" * 64,
        "pooling": "mean",
    },
    "features": {
        "sample_rate": 16000,
        "max_length": 48,
        "mean": -4.2,
        "std": 4.5,
    },
    "tensors": {"sha256": "0" * 64, "bytes": 100},
    "probe": {
        "seed": 1,
        "samples": 10,
        "tolerance": 0.001,
        "logits": [0.0, 1.0],
    },
    "versions": {"torch": "2"},
}
SPEAKERS = {
    **METADATA,
    "task": "embedding",
    "labels": [],
    "decision": {"threshold": 0.3, "scoring": "cosine"},
}
YAML = """\
source: x
revision:
backbone: !new:speechbrain_petl.lobes.ast.AST
  source: !apply:speechbrain_petl.inference.locate
  - !ref <source>
  revision: !ref <revision>
  max_length: 48
encoder: !new:speechbrain_petl.lobes.petl.PETLModel
  backbone: !ref <backbone>
  insertions:
    ffn: !name:speechbrain_petl.lobes.insertion.Parallel
      adapter: !name:speechbrain_petl.lobes.adapters.Bottleneck
        reduction_rate: 64
compute_features: !new:speechbrain_petl.lobes.features.ASTFbank
  max_length: 48
  mean: -4.2
classifier: !new:torch.nn.Linear
  in_features: 3
  out_features: 2
""" + tail("backbone", 16000, "0" * 64)
LABELS = "'a' => 0\n'b' => 1\n================\n'starting_index' => 0\n"
TABLE = "filename,fold,target,category\na.wav,1,0,dog\nb.wav,2,1,cat\n"
LIST = "1 a/x/1.wav a/y/1.wav\n0 a/x/1.wav b/z/1.wav\n"
TRIALS = "target,first,second\n1,a,b\n0,a,c\n"
PLAN = "title: x\ncorpora: [ESC50]\nvariants: [lora]\nfolds: [1]\n"
STRANGERS = "fuzz_artefacts.py"
MEMORY = 2**33  # bytes; more raises a MemoryError, which is a finding
RECIPES = Path(__file__).resolve().parents[1] / "recipes"


class Encoder(nn.Linear):
    """Takes its tensors strictly, as a ``PETLModel`` does."""

    def delta(self):
        """Returns the tensors by name."""
        return self.state_dict()

    def load_delta(self, tensors):
        """Fills them."""
        self.load_state_dict(tensors)


def read_tensors(path: Path) -> None:
    """Reads tensors whose checksum is right: the damage is the author's."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    facts = {"sha256": digest, "bytes": len(content)}
    fill(path, {"tensors": facts}, Encoder(3, 2), nn.Linear(3, 2))


def read_blueprint(path: Path) -> None:
    """Checks an artefact's YAML, and makes what needs no backbone."""
    blueprint = Blueprint(
        path.read_bytes().decode("utf-8"), str(path), METADATA
    )
    for key in ("compute_features", "classifier"):
        blueprint.build(key, nn.Identity())


def read_rows(path: Path) -> None:
    """Reads a corpus's table."""
    for row in read_table(path, ["filename", "fold", "target", "category"]):
        row.integer("fold", range(1, 6))


def read_wave(path: Path) -> None:
    """Looks at a file, and reads it."""
    look_at(str(path))
    read_audio(str(path), AudioNormalizer(16000))


def originals(folder: Path) -> dict[str, tuple[bytes, Callable]]:
    """A valid file of each kind, and what reads it."""
    tensors = {"weight": torch.zeros(2, 3), "bias": torch.zeros(2)}
    tensors |= {f"head.{name}": t.clone() for name, t in tensors.items()}
    manifest = {"a": {"wav": "{data_root}/a.wav", "label": "a"}}
    files = {
        "artefact.json": (json.dumps(METADATA).encode(), read_metadata),
        "hyperparams.yaml": (YAML.encode(), read_blueprint),
        "petl.safetensors": (save(tensors), read_tensors),
        "label_encoder.txt": (LABELS.encode(), load_label_encoder),
        "train.json": (
            json.dumps(manifest).encode(),
            lambda path: read_manifest(str(path), "/data"),
        ),
        "speakers.json": (json.dumps(SPEAKERS).encode(), read_metadata),
        "esc50.csv": (TABLE.encode(), read_rows),
        "veri_test.txt": (LIST.encode(), read_voxceleb_list),
        "test_trials.csv": (
            TRIALS.encode(),
            lambda path: load_trials(path, ["a", "b", "c"]),
        ),
        "plan.yaml": (PLAN.encode(), lambda path: load_plan(path, RECIPES)),
    }
    for suffix in ("wav", "flac", "ogg", "mp3"):
        path = folder / f"original.{suffix}"
        soundfile.write(path, np.sin(np.arange(4000) / 9), 16000)
        files[f"clip.{suffix}"] = (path.read_bytes(), read_wave)
    return files


def damage(content: bytes, generator: random.Random) -> bytes:
    """Damages a file in one to four places."""
    data = bytearray(content)
    for _ in range(generator.randint(1, 4)):
        at = generator.randint(0, len(data))
        to = min(len(data), at + generator.choice([1, 2, 4, 8, 64]))
        kind = generator.randrange(6)
        if kind == 0 and data[at:to]:
            data[at:to] = generator.randbytes(to - at)
        elif kind == 1:
            del data[at:to]
        elif kind == 2:
            data[at:at] = data[at:to]
        elif kind == 3:
            data[at:at] = generator.choice(TOKENS)
        elif kind == 4:
            data[at:to] = generator.choice(TOKENS)
        elif generator.random() < 0.2:
            del data[at:]
    return bytes(data)


def fuzz(
    folder: Path, seed: int, rounds: int | None = None, minutes: float = 0.0
) -> tuple[Counter, list[str]]:
    """Reads damaged files, for so many rounds or minutes.

    Arguments
    ---------
    folder : Path
        Where files are written; those of findings stay.
    seed : int
        Of the damage.
    rounds : int, optional
        How many.
    minutes : float
        How long, without ``rounds``.

    Returns
    -------
    tried : Counter
        How often each kind of file was read, and how often refused.
    findings : list of str
        What was raised besides a refusal.
    """
    # Its first valid file is what it says, or nothing below means anything.
    files, generator = originals(folder), random.Random(seed)
    for name, (content, read) in files.items():
        (folder / name).write_bytes(content)
        read(folder / name)
    tried: Counter = Counter()
    findings: list[str] = []
    end = time.monotonic() + 60 * minutes
    while sum(tried.values()) < rounds if rounds else time.monotonic() < end:
        name = generator.choice(list(files))
        content, read = files[name]
        path = folder / name
        path.write_bytes(damage(content, generator))
        tried[name] += 1
        try:
            read(path)
        except ALLOWED:
            tried[f"{name}, refused"] += 1
        except Exception as error:
            finding = f"{name}: {type(error).__name__}: {error}"
            kept = folder / f"finding_{len(findings)}_{name}"
            kept.write_bytes(path.read_bytes())
            findings.append(f"{finding} ({kept})")
    return tried, findings


def main() -> int:
    """The command line; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fuzz_"))
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, most))
    strangers = runpy.run_path(str(Path(__file__).with_name(STRANGERS)))
    tried, findings = fuzz(folder, options.seed, minutes=options.minutes / 2)
    more, executed = strangers["fuzz"](
        folder, options.seed, minutes=options.minutes / 2
    )
    for name, times in sorted((tried + more).items()):
        print(f"{times:8} {name}")
    print("\n".join(findings + executed) or "no finding")
    return 1 if findings or executed else 0


if __name__ == "__main__":
    sys.exit(main())
