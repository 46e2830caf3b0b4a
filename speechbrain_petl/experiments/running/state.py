"""The state of a cell."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from speechbrain_petl.dataio.digests import digests_of
from speechbrain_petl.experiments.planning.plan import Cell
from speechbrain_petl.utils.files import read_json, write_file
from speechbrain_petl.utils.metric import metric_of
from speechbrain_petl.utils.plain_yaml import one_value, plain_values
from speechbrain_petl.utils.settings import differences, settings_of
from speechbrain_petl.utils.versions import versions

FINISHED, FAILED, INTERRUPTED, NEW = "finished", "failed", "interrupted", "new"
RUNNING = "running"  # some process has it now
OTHER = "other"  # what is there is of another plan or other data
WEIGHTS = (".json", ".safetensors", ".bin")  # files of a backbone
DAMAGED = "damaged"  # what is there does not say of which


def cell_hash(cell: Cell, recipes: Path, data: str) -> str:
    """Computes what identifies a cell: settings, backbone and data.

    The settings are those by which a run folder is identified (see
    ``settings_of``): where a run lies, its device and its workers are not
    among them. Nor are versions, of which ``other_versions`` tells.

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
    recipe = recipes / cell.corpus
    text = cell.yaml_in(recipes).read_text(encoding="utf-8")
    overrides = {key: as_yaml(value) for key, value in cell.options().items()}
    values = plain_values(text, overrides)
    source = str(values.get("source"))
    parts = [
        settings_of(text, overrides),
        backbone_fingerprint(str(recipe / source))
        if (recipe / source).is_dir()
        else [source, values.get("revision")],
        data,
    ]
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def as_yaml(value) -> str:
    """Returns YAML of a value as a cell's command line gives it."""
    return one_value("null" if value is None else str(value))


@lru_cache
def backbone_fingerprint(folder: str) -> str:
    """Identifies a local backbone by its files, without loading it.

    Arguments
    ---------
    folder : str
        The backbone's configuration and weights.

    Returns
    -------
    str
        SHA-256, in hexadecimal.
    """
    names = [p.name for p in Path(folder).iterdir() if p.suffix in WEIGHTS]
    found = digests_of(folder, names)
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


@lru_cache
def data_fingerprint(folder: str) -> str:
    """Identifies a corpus by the names and contents of its files.

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
    files = (path for path in root.rglob("*") if path.is_file())
    found = digests_of(root, (f.relative_to(root).as_posix() for f in files))
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def other_versions(folder: Path) -> str:
    """Returns which other versions of packages made a finished cell.

    Arguments
    ---------
    folder : Path
        The cell's.

    Returns
    -------
    str
        Such as ``torch is 2.10.0 there and 2.11.0 here``; empty if none.
    """
    results = read_results(folder) or {}
    return differences(results.get("versions", {}), versions())


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
        metric = metric_of(found)
    except ValueError:
        return None
    return found if metric.name in found else None


def write_json(file: Path, content: dict) -> None:
    """Writes a small file, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_file(str(file), json.dumps(content, indent=2, default=str) + "\n")
