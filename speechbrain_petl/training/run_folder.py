"""The output folder of a run: one process's, and one configuration's."""

import atexit
import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from filelock import FileLock, Timeout
from speechbrain_petl.utils.files import write_file
from speechbrain_petl.utils.settings import differences
from speechbrain_petl.utils.versions import versions

logger = logging.getLogger(__name__)

FORMAT = 1  # of run.json
# What a run leaves beside checkpoints and manifests
TRACES = ("train_log.txt", "results.json", "artefact")
OTHERS = (
    *("hyperparams.yaml", "env.log", "log.txt", "tensorboard"),
    *("predictions.csv", "confusion_matrix.png", "average_precision.png"),
    *("scores.csv", "det_curve.png"),
)
CHECKPOINTS = ("CKPT+*", "PARTIAL-*")
REMEDY = (
    "give another --output_folder, or --overwrite True to remove that run and "
    "start anew."
)
_locks: dict[str, FileLock] = {}  # held by this process until its end


class RunFolder:
    """Holds the output folder of a run, and keeps other runs out of it.

    The folder's ``run.json`` says which run it is of. A run is *begun* once it
    has left a checkpoint, a log or results: until then the folder may be taken
    by any other.

    Arguments
    ---------
    hparams : dict
        ``output_folder``, ``save_folder`` and ``manifest_folder``.
    script : str
        The recipe's, of which the folder has a copy.

    Example
    -------
    >>> where = getfixture("tmp_path") / "run"
    >>> hparams = {
    ...     "output_folder": where,
    ...     "save_folder": where / "save",
    ...     "manifest_folder": where / "manifest",
    ... }
    >>> folder = RunFolder(hparams, "train.py")
    >>> folder.open({"settings": {"lr": 0.1}})
    >>> folder.settle({"train_manifest": {"clips": 3, "sha256": "0123"}})
    >>> _ = (where / "results.json").write_text("{}")
    >>> folder.open({"settings": {"lr": 0.2}})
    Traceback (most recent call last):
    ...
    ValueError: ... holds a run of other settings: lr is 0.1 there and 0.2 here...
    >>> release()
    """

    def __init__(self, hparams: Mapping, script: str):
        self.path = Path(os.path.abspath(hparams["output_folder"]))
        self.saves = Path(hparams["save_folder"])
        self.record = self.path / "run.json"
        self.before = self.path / ".before"
        self.script = Path(script)
        # What a start and the data preparation write anew
        self.rewritten = {
            name: self.path / name
            for name in ("hyperparams.yaml", "env.log", self.script.name)
        }
        manifests = Path(os.path.abspath(hparams["manifest_folder"]))
        if self.path in manifests.parents:  # and not somebody else's folder
            self.rewritten["manifest"] = manifests

    def open(self, identity: Mapping, overwrite: bool = False) -> None:
        """Takes the folder, or leaves it as it is and raises.

        Arguments
        ---------
        identity : dict of str to dict
            What is known of this run before its data are: its ``settings``,
            among them the backbone.
        overwrite : bool
            If True, removes a run that the folder holds.

        Raises
        ------
        ValueError
            If another process is running in the folder, or it holds a run of
            other settings.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock()
        self._restore()
        found = self._read()
        if overwrite and found is not None:
            self._clear()
        elif self.is_begun():
            self._check_record(found)
            self._compare("settings", found["settings"], identity["settings"])
            self._warn_of_versions(found["versions"])
            self._keep()
            self.identity = {**found, **identity}
            return
        self.identity = {**identity, "versions": [], "data": None}
        self._write()

    def settle(self, data: Mapping) -> None:
        """Compares the data with those of the run that the folder holds.

        Arguments
        ---------
        data : dict of str to dict
            As from ``data_of``.

        Raises
        ------
        ValueError
            If they differ. What was written since ``open`` is taken back.
        """
        if self.before.is_dir() and self.identity["data"] is not None:
            try:
                self._compare("data", self.identity["data"], data)
            except ValueError:
                self._restore()
                raise
        now = versions()
        self.identity["data"] = dict(data)
        self.identity["versions"] = [
            *(old for old in self.identity["versions"] if old != now),
            now,
        ]
        self._write()
        shutil.rmtree(self.before, ignore_errors=True)

    def is_begun(self) -> bool:
        """Returns True if the folder holds anything that was trained."""
        return any((self.path / name).exists() for name in TRACES) or any(
            self._checkpoints()
        )

    def _checkpoints(self) -> Iterator[Path]:
        """Yields the folders of checkpoints."""
        for pattern in CHECKPOINTS:
            yield from self.saves.glob(pattern)

    def _lock(self):
        """Takes the lock, which ends with this process."""
        key = str(self.path)
        for other in [path for path in _locks if path != key]:
            _locks.pop(other).release()  # the run before this one is over
        if key in _locks:
            return
        lock = FileLock(self.path / ".run.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise ValueError(
                f"Another process is running in {self.path}: wait until it "
                "ends, or give another --output_folder."
            ) from error
        _locks[key] = lock

    def _read(self):
        """Returns what the folder's record says; None if there is none."""
        try:
            found = json.loads(self.record.read_text("utf-8"))
            format_ = found["format"]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(
                f"{self.record} is no record of a run: give another "
                f"--output_folder, or remove {self.path}."
            ) from error
        return {**found, "format": format_}

    def _check_record(self, found):
        """Refuses a begun run of which it is not known what it is."""
        if found is None:
            raise ValueError(
                f"{self.path} holds a run without a record of its settings "
                "(run.json): give another --output_folder, or remove the "
                "folder."
            )
        if found["format"] != FORMAT:
            raise ValueError(
                f"{self.record} has the format {found['format']!r}, but this "
                f"version of the package reads {FORMAT}: {REMEDY}"
            )
        if found["settings"] is None:
            raise ValueError(
                f"{self.path} holds the rest of a run that was being removed: "
                "give --overwrite True again."
            )

    def _write(self):
        """Writes the record, whole or not at all."""
        text = json.dumps({"format": FORMAT, **self.identity}, indent=2)
        write_file(str(self.record), text + "\n")

    def _compare(self, what, there, here):
        """Raises an error that names every difference."""
        found = differences(there, here)
        if found:
            raise ValueError(
                f"{self.path} holds a run of other {what}: {found}; {REMEDY}"
            )

    def _warn_of_versions(self, before):
        """Warns where other versions of packages go on with a run."""
        found = differences(before[-1], versions()) if before else ""
        if found:
            logger.warning(
                "The run in %s goes on with other versions: %s. Its numbers "
                "may differ from those of an uninterrupted run.",
                self.path,
                found,
            )

    def _clear(self):
        """Removes what a run leaves, and nothing else.

        The record goes last: a removal that is killed is taken up by the next
        ``--overwrite``, and nothing goes on with what is left meanwhile.
        """
        self.identity = {"settings": None, "versions": [], "data": None}
        self._write()
        removed = [*self._checkpoints(), *self.rewritten.values()]
        removed += [self.path / name for name in (*TRACES, *OTHERS)]
        for path in removed:
            # The script's copy is the script where a run lies beside it.
            if not (path.exists() and path.samefile(self.script)):
                _remove(path)

    def _keep(self):
        """Sets aside what will be written anew, until ``settle``."""
        aside = self.before.with_name(".before-new")
        _remove(aside)
        aside.mkdir()
        for name, path in self.rewritten.items():
            if path.is_dir():
                shutil.copytree(path, aside / name)
            elif path.exists():
                shutil.copy2(path, aside / name)
        aside.rename(self.before)
        atexit.register(self._restore)

    def _restore(self):
        """Puts back what was set aside by a start that went no further."""
        if not self.before.is_dir():
            return
        for name, path in self.rewritten.items():
            if (self.before / name).exists():
                _remove(path)
                (self.before / name).rename(path)
        shutil.rmtree(self.before)


def release() -> None:
    """Lets go of the folder, as the end of the process does."""
    while _locks:
        _locks.popitem()[1].release()


def _remove(path):
    """Removes a file or a folder, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
