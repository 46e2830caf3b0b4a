"""Opens artefacts that look valid and ask for more than an artefact may.

Each round changes a valid artefact: its YAML names anything that can be
imported from the packages that a model is made of, gives arguments of any
kind and size, its metadata are of any kind, its files are links or pipes. It
may be refused with a ValueError or an OSError, or load. Anything else is a
finding, and so is anything that was executed: an audit hook sees every
import, compilation, file opened for writing, process and socket.
``fuzz_readers.py`` runs this for half of its time.
"""

import gc
import json
import os
import random
import re
import resource
import shutil
import sys
import threading
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import torch
from speechbrain_petl.artefacts.allowed import ROWS
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.write import write_artefact
from speechbrain_petl.lobes import AST, ASTFbank, LoRA, PETLModel
from torch import nn
from transformers import ASTConfig, ASTModel

from speechbrain.dataio.encoder import CategoricalEncoder

ALLOWED = (ValueError, OSError)
PACKAGES = ("torch.nn", "speechbrain", "peft", "transformers")
PACKAGES = (*PACKAGES, "speechbrain_petl")
GROWTH = 2**30  # bytes of memory that all rounds together may add
WATCHED = re.compile(
    r"import|exec|compile|marshal\.|pickle\.|ctypes\.|code\.|subprocess\.|"
    r"socket\.|os\.(system|exec|spawn|posix_spawn|fork|remove|rename|mkdir|"
    r"rmdir|link|symlink|truncate|putenv|chmod|kill)|shutil\.|urllib\."
)
RUN = """\
backbone: &ast !new:speechbrain_petl.lobes.ast.AST
    source: x
    max_length: 48
    position_embeddings: resize
    pooling: mean
encoder: !new:speechbrain_petl.lobes.petl.PETLModel
    backbone: *ast
    insertions:
        query: !name:speechbrain_petl.lobes.lora.LoRA
            rank: 2
        ffn: !name:speechbrain_petl.lobes.insertion.Parallel
            adapter: !name:speechbrain_petl.lobes.adapters.Bottleneck
                reduction_rate: 8
                activation: !name:torch.nn.ReLU
    unfrozen: [norm_final]
compute_features: !new:speechbrain_petl.lobes.features.ASTFbank
    max_length: 48
    sample_rate: 16000
classifier: !name:torch.nn.Linear
"""
VALUES = [
    "null", "true", "-1", "0", "1e308", ".inf", ".nan", "9" * 40, "4000000",
    "1.0e-9", "[]", "{}", "[[[]]]", "''", "os.system", "__import__('os')",
    "!ref <encoder>", "!ref <backbone>", "!ref <nothing>", "*ast", "&a [1]",
    "!apply:os.system [true]", "!module:os", "!include:/etc/passwd",
    "!!python/name:os.system", "!!python/object/apply:os.system [true]",
]  # fmt: skip


class Watch:
    """Sees what is executed, imported, written or asked inside a ``with``.

    Only of the thread that entered it; the hook stays, as Python cannot take
    one off, but sees nothing outside. Garbage is not collected inside: what
    was left behind before, such as a temporary folder, would be cleared away
    there, and taken for a finding.
    """

    def __init__(self):
        self.seen: list[str] = []
        self._thread: int | None = None
        self._collects = False
        sys.addaudithook(self._hook)

    def _hook(self, event, args):
        """Notes an event."""
        if self._thread != threading.get_ident():
            return
        if event == "open":
            _, mode, flags = args
            writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
            if not (set(mode or "") & set("wax+") or (flags or 0) & writes):
                return
        elif not WATCHED.match(event):
            return
        self.seen.append(f"{event}{args}"[:300])

    def __enter__(self):
        self._collects = gc.isenabled()
        gc.disable()
        self._thread = threading.get_ident()
        return self

    def __exit__(self, *_):
        self._thread = None
        if self._collects:
            gc.enable()


def make_original(folder: Path) -> AST:
    """Writes a valid artefact; gives the backbone that it is of."""
    config = ASTConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_length=48,
        frequency_stride=16,
        time_stride=16,
    )
    ASTModel(config).save_pretrained(folder / "backbone")
    ast = AST(str(folder / "backbone"))
    encoder = PETLModel(
        ast,
        {
            "query": lambda target: LoRA(target, rank=2),
            "ffn": _parallel,
        },
        ["norm_final"],
    )
    labels = CategoricalEncoder()
    labels.update_from_iterable("ab")
    write_artefact(
        folder / "original",
        ast,
        ASTFbank(max_length=48),
        encoder,
        nn.Linear(32, 2),
        labels,
        RUN,
        {
            "method": "x",
            "trainable": {"method": 1},
            "training": {"corpus": "x", "hyperparameters": {"lr": 0.1}},
            "metrics": {"accuracy": 0.5},
        },
    )
    return ast


def _parallel(target):
    """The adapter of ``RUN``."""
    from functools import partial

    from speechbrain_petl.lobes import Bottleneck, Parallel

    adapter = partial(Bottleneck, reduction_rate=8, activation=nn.ReLU)
    return Parallel(target, adapter)


def importable() -> list[tuple[str, Path]]:
    """Lists all modules of some packages by file; imports none of them."""
    found = []
    for package in PACKAGES:
        spec = find_spec(package)
        for root in spec.submodule_search_locations or ():
            for file in sorted(Path(root).rglob("*.py")):
                parts = file.relative_to(root).with_suffix("").parts
                parts = parts[:-1] if parts[-1] == "__init__" else parts
                found.append((".".join((package, *parts)), file))
    return found


def random_name(modules, generator: random.Random) -> str:
    """Picks a function or a class of any of the modules."""
    module, file = generator.choice(modules)
    text = file.read_text("utf-8", errors="replace")
    names = re.findall(r"^(?:def|class) (\w+)", text, flags=re.M)
    return f"{module}.{generator.choice(names or ['x'])}"


def change(folder: Path, modules, generator: random.Random) -> str:
    """Changes an artefact in one place; says how."""
    kind = generator.choice(["name"] * 5 + ["value"] * 3 + CHANGES)
    path = folder / "hyperparams.yaml"
    text = path.read_text()
    if kind == "name":
        tags = list(re.finditer(r"!(new|name|apply):[\w.]+", text))
        tag = generator.choice(tags)
        name = random_name(modules, generator)
        prefix = generator.choice([tag[1], tag[1], "name", "new", "apply"])
        text = f"{text[: tag.start()]}!{prefix}:{name}{text[tag.end() :]}"
        path.write_text(text)
    elif kind == "value":
        lines = text.splitlines()
        at = generator.choice([i for i, one in enumerate(lines) if ": " in one])
        key = lines[at].partition(": ")[0]
        lines[at] = f"{key}: {generator.choice(VALUES)}"
        path.write_text("\n".join(lines))
    elif kind == "argument":
        lines = text.splitlines()
        at = generator.randrange(len(lines))
        space = re.match(" *", lines[at])[0]
        name = random_name(modules, generator)
        value = generator.choice([*VALUES, f"!name:{name}", f"!new:{name} []"])
        word = generator.choice(
            ["f", "activation", "config", "adapter", "path"]
        )
        lines.insert(at, f"{space}{word}: {value}")
        path.write_text("\n".join(lines))
    elif kind == "metadata":
        file = folder / "artefact.json"
        metadata = json.loads(file.read_text())
        where = generator.choice(list(metadata))
        inner, key = metadata, where
        if isinstance(metadata[where], dict) and generator.random() < 0.7:
            inner, key = metadata[where], generator.choice([*metadata[where]])
        values = [None, -1, 0, 1e308, 10**30, "", "../x", [], {}, True, "x/y"]
        inner[key] = generator.choice(values)
        file.write_text(json.dumps(metadata))
    else:
        victim = generator.choice(sorted(folder.iterdir()))
        content = victim.read_bytes()
        victim.unlink()
        if kind == "link":
            victim.symlink_to(generator.choice(["/etc/passwd", "/dev/zero"]))
        elif kind == "pipe":
            os.mkfifo(victim)
        elif kind == "code":
            victim.write_bytes(content + b"\nimport os\n")
        elif kind == "large":
            victim.write_bytes(content)
            os.truncate(victim, 2**35)  # sparse: takes no room
    return kind


CHANGES = ["argument", "metadata", "link", "pipe", "code", "large", "gone"]


def fuzz(
    folder: Path, seed: int, rounds: int | None = None, minutes: float = 0.0
) -> tuple[Counter, list[str]]:
    """Opens changed artefacts, for so many rounds or minutes.

    Arguments
    ---------
    folder : Path
        Where they are written; those of findings stay.
    seed : int
        Seed of the changes.
    rounds : int, optional
        How many.
    minutes : float
        How long, without ``rounds``.

    Returns
    -------
    tried : Counter
        How often each change was made, and how often refused.
    findings : list of str
        What was raised besides a refusal, what was executed, and too much
        memory.
    """
    generator, modules = random.Random(seed), importable()
    torch.manual_seed(seed)
    ast = make_original(folder)
    Artefact.open(folder / "original").load(ast)  # warm, and valid
    for row in ROWS:
        row.load()  # the first import of a listed class runs its module
    watch, target = Watch(), folder / "artefact"
    tried: Counter = Counter()
    findings: list[str] = []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    end = time.monotonic() + 60 * minutes
    done = 0
    while done < rounds if rounds else time.monotonic() < end:
        done += 1
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder / "original", target)
        kind = f"strange artefact: {change(target, modules, generator)}"
        tried[kind] += 1
        problem = ""
        try:
            with watch:
                Artefact.open(target).load(ast)
        except ALLOWED as error:
            tried[f"{kind}, refused"] += 1
            problem = "" if "\n" not in str(error) else f"lines: {error}"
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        problem = problem or "; ".join(watch.seen)
        if problem:
            kept = folder / f"finding_{len(findings)}"
            shutil.copytree(target, kept, symlinks=True)
            findings.append(f"{kind}: {problem} ({kept})")
            watch.seen.clear()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if grown * 1024 > GROWTH:
        findings.append(f"memory grew by {grown * 1024:,} bytes")
    return tried, findings
