"""Clips decoded and resampled once, for all epochs, folds and runs."""

import contextlib
import hashlib
import os
import time
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy
import soundfile
import torch
import torchaudio
from speechbrain_petl.dataio.digests import cache_root, digest_of
from speechbrain_petl.utils.files import replacing

SLACK = 0.05  # fraction of the size limit written between two checks of it
FRESH = 3600.0  # seconds for which another use is not recorded
# Other versions of what decodes and resamples may differ in the last bits.
VERSIONS = (
    torchaudio.__version__,
    scipy.__version__,
    soundfile.__libsndfile_version__,
)


class WaveformCache:
    """Keeps decoded clips on disk.

    An entry is identified by the content of the audio file, so that copies of
    a file share it and a changed file is decoded again. A file whose path,
    size and modification time are known is not read to find its entry.
    Processes may share a cache. An entry is written atomically and has a
    checksum; a damaged one is decoded again.

    Arguments
    ---------
    max_gb : float
        Size limit in 10^9 bytes, beyond which the least recently used entries
        are removed. It is checked after each twentieth of it that is written.
        0 disables the cache.
    sample_rate : int
        Sample rate of the waveforms in Hz. Each rate, and each version of the
        packages that decode and resample, has its own entries.
    folder : str or Path, optional
        Folder of the cache; by default the value of the environment variable
        ``SPEECHBRAIN_PETL_CACHE``, or ``~/.cache/speechbrain_petl``.

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
        self,
        path: str | Path,
        decode: Callable[[str], torch.Tensor],
        part: str = "",
    ) -> torch.Tensor:
        """Returns the waveform of a file, or of a part of it.

        Arguments
        ---------
        path : str or Path
            The audio file.
        decode : callable
            Returns the waveform [time] of a path, in float32.
        part : str
            Name of the part; empty for the whole file.

        Returns
        -------
        torch.Tensor
            Waveform [time].
        """
        path = str(path)
        if not self.max_bytes or not os.path.isfile(path):
            return decode(path)  # which says what is wrong with it
        note = self._note(path, part)
        with contextlib.suppress(OSError, ValueError):
            found = self._read(self.folder / note.read_text())
            if found is not None:
                return found
        file = os.stat(path)
        content = content_of(path, file.st_size, file.st_mtime_ns)
        if part:
            content = hashlib.sha256(f"{content} {part}".encode()).hexdigest()
        entry = self.folder / content[:2] / content
        found = None
        with contextlib.suppress(OSError):
            found = self._read(entry)
        if found is None:
            found = decode(path)
            if self._note(path, part) != note:
                return found  # the file was changed meanwhile
            self._write(entry, found.numpy().astype("<f4").tobytes(), True)
        self._write(note, f"{content[:2]}/{content}".encode())
        return found

    def _note(self, path, part):
        """Returns the small file that names the entry of a file or part."""
        file = os.stat(path)
        key = f"{os.path.abspath(path)}\0{file.st_size}\0{file.st_mtime_ns}"
        key += f"\0{part}" if part else ""
        name = hashlib.sha256(key.encode()).hexdigest()
        return self.folder / "files" / name[:2] / name

    def _read(self, entry):
        """Returns the waveform of an entry, or None if it is damaged."""
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
        """Writes a file; a full or read-only disk is no error."""
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
        """Removes the least recently used entries until the rest fits.

        Entries of other rates and versions are included.
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


@lru_cache(maxsize=64)
def content_of(path: str, size: int, time_ns: int) -> str:
    """Computes the SHA-256 of a file, once for all parts of it.

    Arguments
    ---------
    path : str
        Audio file.
    size, time_ns : int
        Size and time of modification: another state of the file has others.
    """
    del size, time_ns
    return digest_of(path)
