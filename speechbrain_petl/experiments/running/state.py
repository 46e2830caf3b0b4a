"""The state of a cell."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from speechbrain_petl.experiments.planning.plan import Cell
from speechbrain_petl.utils.files import read_json, write_file

FINISHED, FAILED, INTERRUPTED, NEW = "finished", "failed", "interrupted", "new"
RUNNING = "running"  # some process has it now
OTHER = "other"  # what is there is of another plan or other data
DAMAGED = "damaged"  # what is there does not say of which
TEXTS = (".csv", ".txt", ".json")


def cell_hash(cell: Cell, recipes: Path, data: str) -> str:
    """What a result depends on: YAML, options and data.

    Arguments
    ---------
    cell : Cell
        The run.
    recipes : Path
        The folder with the recipes.
    data : str
        The corpus's fingerprint.

    Returns
    -------
    str
        SHA-256, in hexadecimal.
    """
    yaml = recipes / cell.corpus / "hparams" / f"{cell.variant.yaml}.yaml"
    parts = [yaml.read_text(encoding="utf-8"), cell.options(), data]
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache
def data_fingerprint(folder: str) -> str:
    """Names and sizes of a corpus's files, and the text of its metadata.

    Arguments
    ---------
    folder : str
        The corpus.

    Returns
    -------
    str
        SHA-256, in hexadecimal.

    Raises
    ------
    ValueError
        If there is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ValueError(
            f"There is no data folder {folder}: give the corpus's, as "
            "--data_folder <Corpus>=<folder>."
        )
    digest = hashlib.sha256()
    for file in sorted(path for path in root.rglob("*") if path.is_file()):
        name = file.relative_to(root).as_posix()
        digest.update(f"{name}\0{file.stat().st_size}\0".encode())
        if file.suffix in TEXTS:
            digest.update(file.read_bytes())
    return digest.hexdigest()


def state(folder: Path, wanted: str | None) -> str:
    """Returns the state of the run in a folder.

    The artefact is what a run writes last, whole or not at all.

    Arguments
    ---------
    folder : Path
        The cell's.
    wanted : str or None
        The hash that it should be of; None if any will do.

    Returns
    -------
    str
        One of the constants of this file.
    """
    file = folder / "cell.json"
    if not file.is_file():
        return NEW
    try:
        found = read_json(file).get("hash")
    except ValueError:
        found = None
    if found is None:
        return DAMAGED
    if wanted not in (None, found):
        return OTHER
    artefact = folder / "artefact" / "artefact.json"
    if artefact.is_file() and read_results(folder) is not None:
        return FINISHED
    return FAILED if (folder / "failed.json").is_file() else INTERRUPTED


def read_results(folder: Path) -> dict | None:
    """Reads the results that a run left.

    Arguments
    ---------
    folder : Path
        Folder of the run.

    Returns
    -------
    dict or None
        Content of ``results.json``; None if it is missing or damaged.
    """
    try:
        found = read_json(folder / "results.json")
    except ValueError:
        return None
    return found if "accuracy" in found else None


def write_json(file: Path, content: dict) -> None:
    """Writes a small file, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_file(str(file), json.dumps(content, indent=2, default=str) + "\n")
