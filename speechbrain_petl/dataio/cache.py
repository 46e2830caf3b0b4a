"""Clips decoded and resampled once, for all epochs, folds and runs."""

import contextlib
import hashlib
import os
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy
import soundfile
import torch
import torchaudio
from speechbrain_petl.utils.files import replacing

VARIABLE = "SPEECHBRAIN_PETL_CACHE"
SLACK = 0.05  # share of the size that is written between two looks at it
FRESH = 3600.0  # seconds in which a use is not noted again
# What decodes and resamples: other versions may differ in the last bits.
VERSIONS = (
    torchaudio.__version__,
    scipy.__version__,
    soundfile.__libsndfile_version__,
)


def cache_root() -> Path:
    """Returns the folder of what is computed once for all runs."""
    default = Path.home() / ".cache" / "speechbrain_petl"
    return Path(os.environ.get(VARIABLE) or default)


class WaveformCache:
    """Keeps decoded clips on disk.

    A clip is found by the content of its file, so that copies share it and a
    changed file is decoded anew; that a file is unchanged is told by its path,
    size and time, without reading it. Processes may share a cache. An entry
    appears whole or not at all, and carries a checksum: what does not match
    it is decoded again.

    Arguments
    ---------
    max_gb : float
        Size, in 10^9 bytes, beyond which what was not used for longest goes;
        looked at after each twentieth of it that is written. 0 keeps nothing.
    sample_rate : int
        Of the waveforms, in Hz. (Channels are averaged.) Each rate, and each
        version of what decodes and resamples, has entries of its own.
    folder : str or Path, optional
        Where; by default what the environment variable
        ``SPEECHBRAIN_PETL_CACHE`` names, or ``~/.cache/speechbrain_petl``.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> _ = (folder / "a.wav").write_bytes(b"audio")
    >>> cache = WaveformCache(1.0, folder=folder / "cache")
    >>> cache.get(folder / "a.wav", lambda path: torch.ones(3))
    tensor([1., 1., 1.])
    >>> cache.get(folder / "a.wav", lambda path: 1 / 0)
    tensor([1., 1., 1.])
    """

    def __init__(
        self,
        max_gb: float,
        sample_rate: int = 16000,
        folder: str | Path | None = None,
    ):
        root = Path(folder or cache_root())
        rule = zlib.crc32(repr(VERSIONS).encode())
        self.folder = root / f"waveforms_{sample_rate}_{rule:08x}"
        self.max_bytes = max_gb * 1e9
        self.unseen = self.max_bytes  # bytes written since the last look

    def get(
        self, path: str | Path, decode: Callable[[str], torch.Tensor]
    ) -> torch.Tensor:
        """Gives the waveform of a file.

        Arguments
        ---------
        path : str or Path
            The audio file.
        decode : callable
            Gives the waveform [samples] of a path, in float32.

        Returns
        -------
        torch.Tensor
            Waveform [samples].
        """
        if not self.max_bytes or not os.path.isfile(path):
            return decode(path)  # which says what is wrong with it
        note = self._note(path)
        with contextlib.suppress(OSError, ValueError):
            found = self._read(self.folder / note.read_text())
            if found is not None:
                return found
        content = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        entry = self.folder / content[:2] / content
        found = None
        with contextlib.suppress(OSError):
            found = self._read(entry)
        if found is None:
            found = decode(path)
            if self._note(path) != note:
                return found  # the file was changed meanwhile
            self._write(entry, found.numpy().astype("<f4").tobytes(), True)
        self._write(note, f"{content[:2]}/{content}".encode())
        return found

    def _note(self, path):
        """The file that says which entry a file's is."""
        file = os.stat(path)
        key = f"{os.path.abspath(path)}\0{file.st_size}\0{file.st_mtime_ns}"
        name = hashlib.sha256(key.encode()).hexdigest()
        return self.folder / "files" / name[:2] / name

    def _read(self, entry):
        """An entry's waveform, or None if it is damaged."""
        with open(entry, "rb") as file:
            data = file.read()
            used = os.fstat(file.fileno()).st_mtime
        if time.time() - used > FRESH:
            with contextlib.suppress(OSError):  # somebody else's cache
                os.utime(entry)
        samples, checksum = memoryview(data)[:-4], data[-4:]
        if (
            len(data) % 4
            or zlib.crc32(samples).to_bytes(4, "little") != checksum
        ):
            return None
        return torch.from_numpy(np.frombuffer(samples, "<f4").copy())

    def _write(self, file, content, checked=False):
        """Writes a file; a disk that is full or read-only is no error."""
        if checked:
            content += zlib.crc32(content).to_bytes(4, "little")
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            with replacing(file) as temporary:
                temporary.write_bytes(content)
            self.unseen += len(content)
            if self.unseen > SLACK * self.max_bytes:
                self.unseen = 0
                self.shrink()

    def shrink(self) -> None:
        """Removes what was not used for longest until the rest fits.

        Entries of other rates and versions count too.
        """
        entries = []
        for entry in self.folder.parent.glob("waveforms_*/??/*"):
            with contextlib.suppress(OSError):
                file = entry.stat()
                entries.append((file.st_mtime, file.st_size, entry))
        size = sum(bytes_ for _, bytes_, _ in entries)
        if size <= self.max_bytes:
            return
        for _, bytes_, entry in sorted(entries):
            if size <= (1 - SLACK) * self.max_bytes:
                break
            entry.unlink(missing_ok=True)
            size -= bytes_
        for note in self.folder.parent.glob("waveforms_*/files/??/*"):
            with contextlib.suppress(OSError, ValueError):
                if not (note.parents[2] / note.read_text()).exists():
                    note.unlink()
