"""What the data of a run are, told by the content of every file."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from speechbrain_petl.dataio.digests import digests_of
from speechbrain_petl.utils.settings import MANIFEST

ROOT = "{data_root}/"  # how manifests begin the path of a file
TRIALS = "_trial_list"  # how the keys of lists of trials end


def data_of(hparams: Mapping) -> dict[str, dict]:
    """Identifies the data that manifests name, by the content of every file.

    Arguments
    ---------
    hparams : dict
        ``data_folder``, ``label_map``, and the manifests: all keys that end in
        ``_manifest``; of speakers, lists of trials in ``_trial_list``.

    Returns
    -------
    dict of str to dict
        By key: how many ``clips`` a manifest has, and a ``sha256`` of its
        entries and their files, or of the label map or a list of trials.
    """
    manifests = {
        key: json.loads(Path(hparams[key]).read_text("utf-8"))
        for key in sorted(key for key in hparams if key.endswith(MANIFEST))
    }
    files = {
        file
        for entries in manifests.values()
        for entry in entries.values()
        for file in _files(entry)
    }
    digests = digests_of(hparams["data_folder"], files)
    found = {}
    for key, entries in manifests.items():
        whole = hashlib.sha256()
        for id_, entry in entries.items():
            content = [digests[file] for file in _files(entry)]
            line = json.dumps([id_, entry, content], sort_keys=True)
            whole.update(f"{line}\n".encode())
        found[key] = {"clips": len(entries), "sha256": whole.hexdigest()}
    labels = Path(hparams["label_map"]).read_bytes()
    found["label_map"] = {"sha256": hashlib.sha256(labels).hexdigest()}
    for key in sorted(key for key in hparams if key.endswith(TRIALS)):
        if Path(hparams[key]).is_file():
            trials = Path(hparams[key]).read_bytes()
            found[key] = {"sha256": hashlib.sha256(trials).hexdigest()}
    return found


def _files(entry):
    """Returns the files that an entry of a manifest names, braces unescaped."""
    return [
        value.removeprefix(ROOT).replace("{{", "{").replace("}}", "}")
        for _, value in sorted(entry.items())
        if isinstance(value, str) and value.startswith(ROOT)
    ]
