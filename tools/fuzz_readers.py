#!/usr/bin/env python3
"""Feeds damaged files to all that reads artefacts, manifests and metadata.

Each round takes a valid file, damages it (bytes changed, cut, doubled, moved,
or exchanged for ones that mean something in its format) and reads it. A
reader may refuse with a ValueError or an OSError; anything else is a finding,
and is written with the file that caused it.

> python tools/fuzz_readers.py --minutes 10
"""

import argparse
import hashlib
import json
import random
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
from speechbrain_petl.artefacts.check import load_head, load_tensors
from speechbrain_petl.artefacts.format import read_metadata
from speechbrain_petl.artefacts.safe_yaml import Spec
from speechbrain_petl.dataio.audio import look_at, read_audio
from speechbrain_petl.dataio.datasets import read_manifest
from speechbrain_petl.dataio.labels import load_label_encoder
from speechbrain_petl.dataio.metadata import read_table
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
    "format_version": 1,
    "labels": ["a", "b"],
    "backbone": {"source": "x", "revision": None, "fingerprint": "0"},
    "tensors": {"sha256": "0", "bytes": 1},
    "probe": {"seed": 1, "samples": 10, "tolerance": 0.1, "logits": [[0.0]]},
}
YAML = """\
ast_source: x
head: !new:torch.nn.Linear [3, 2]
features: !new:speechbrain_petl.lobes.features.ASTFbank
    max_length: 48
    mean: -4.2
adapter: !name:speechbrain_petl.lobes.adapters.Bottleneck
    reduction_rate: 64
"""
LABELS = "'a' => 0\n'b' => 1\n================\n'starting_index' => 0\n"
TABLE = "filename,fold,target,category\na.wav,1,0,dog\nb.wav,2,1,cat\n"
PLAN = "title: x\ncorpora: [ESC50]\nvariants: [lora]\nfolds: [1]\n"
RECIPES = Path(__file__).resolve().parents[1] / "recipes"


class Encoder(nn.Linear):
    """Takes its tensors strictly, as a ``PETLModel`` does."""

    def load_delta(self, tensors):
        """As there."""
        load_head({k: v for k, v in tensors.items()}, self)


def read_tensors(path: Path) -> None:
    """Reads tensors whose checksum is right: the damage is the author's."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    load_tensors(path, digest, Encoder(3, 2), nn.Linear(3, 2))


def read_spec(path: Path) -> None:
    """Builds all that an artefact's YAML names."""
    spec = Spec(path)
    for key in ("head", "features", "adapter"):
        spec.build(key)


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
        "hyperparams.yaml": (YAML.encode(), read_spec),
        "petl.safetensors": (save(tensors), read_tensors),
        "label_encoder.txt": (LABELS.encode(), load_label_encoder),
        "train.json": (
            json.dumps(manifest).encode(),
            lambda path: read_manifest(str(path), "/data"),
        ),
        "esc50.csv": (TABLE.encode(), read_rows),
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
    tried, findings = fuzz(folder, options.seed, minutes=options.minutes)
    for name, times in sorted(tried.items()):
        print(f"{times:8} {name}")
    print("\n".join(findings) or "no finding")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
