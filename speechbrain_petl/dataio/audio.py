"""Reads an audio file whole, or says what is wrong with it."""

import os

import numpy as np
import soundfile
import torch

from speechbrain.dataio.preprocess import AudioNormalizer

OGG_PAGE = 65307  # bytes that a page has at most
UNKNOWN_SIZES = (0, 0xFFFFFFFF)  # what writes to a pipe leaves in a header
MP3_SLACK = 4 * 1152  # samples by which its header may be off
FLOATS = ("FLOAT", "DOUBLE")  # the encodings that can hold nan
BLOCK = 1 << 20  # samples read at once when only looking


def read_audio(path: str, normalizer: AudioNormalizer) -> torch.Tensor:
    """Reads a local audio file as a mono waveform [samples].

    Arguments
    ---------
    path : str
        The file: wav, flac, ogg, mp3 or au.
    normalizer : AudioNormalizer
        Resamples and averages the channels.

    Raises
    ------
    ValueError
        If there is no such file, it is not audio, was cut off, holds no
        sample, or one that is no finite number.
    """
    path = str(path)
    if not os.path.isfile(path):
        raise ValueError(f"There is no file '{path}'.")
    try:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
        cut_off = is_cut_off(path, len(audio))
    except (RuntimeError, OSError, ValueError, MemoryError) as error:
        raise ValueError(
            f"'{path}' cannot be read as audio (wav, flac, ogg, mp3 or au): {error}"
        ) from error
    if cut_off:
        raise ValueError(
            f"'{path}' is cut off: it ends before the end that its format "
            "marks. Copy it again."
        )
    if len(audio) == 0:
        raise ValueError(f"'{path}' holds no audio: it has no sample.")
    if not np.isfinite(audio).all():
        raise ValueError(
            f"'{path}' holds samples that are nan or infinite: write it anew."
        )
    return normalizer(torch.from_numpy(audio), rate)


def look_at(path: str) -> tuple[float, str | None]:
    """Finds what would keep a file from being read, without decoding it all.

    A header that can be read, and a last sample that can, speak for what lies
    between; floating-point samples are looked at one and all.

    Arguments
    ---------
    path : str
        The file.

    Returns
    -------
    duration : float
        In seconds.
    reason : str or None
        Why the file cannot be used: ``missing``, ``unreadable``, ``empty``,
        ``cut off`` or ``not finite``.

    Example
    -------
    >>> path = str(getfixture("tmp_path") / "a.wav")
    >>> soundfile.write(path, np.array([0.0, np.nan]), 16000, "FLOAT")
    >>> look_at(path)[1]
    'not finite'
    """
    path = str(path)
    if not os.path.isfile(path):
        return 0.0, "missing"
    try:
        with soundfile.SoundFile(path) as file:
            if not file.frames:
                return 0.0, "empty"
            file.seek(file.frames - 1)
            n_samples = file.tell() + len(file.read(1))
            if file.format != "MP3" and n_samples < file.frames:
                return 0.0, "cut off"
            if file.format in ("WAV", "OGG", "AU") and is_cut_off(
                path, n_samples
            ):
                return 0.0, "cut off"
            if file.subtype in FLOATS:
                file.seek(0)
                for block in file.blocks(BLOCK, dtype="float32"):
                    if not np.isfinite(block).all():
                        return 0.0, "not finite"
            return file.frames / file.samplerate, None
    except (RuntimeError, OSError):
        return 0.0, "unreadable"


def is_cut_off(path: str, n_samples: int) -> bool:
    """Whether a file that can be decoded ends too early.

    libsndfile gives what is there of a truncated wav, ogg, mp3 or au file,
    and says nothing. (Of a flac file it does.)

    Arguments
    ---------
    path : str
        The file.
    n_samples : int
        How many could be decoded.

    Example
    -------
    >>> path = getfixture("tmp_path") / "a.wav"
    >>> soundfile.write(path, torch.zeros(100).numpy(), 16000)
    >>> is_cut_off(str(path), 100)
    False
    >>> _ = path.write_bytes(path.read_bytes()[:-2])
    >>> is_cut_off(str(path), 99)
    True
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        start = file.read(12)
        file.seek(max(0, size - 2 * OGG_PAGE))
        end = file.read()
    if start.startswith(b"RIFF"):
        stated = int.from_bytes(start[4:8], "little")
        return stated not in UNKNOWN_SIZES and stated + 8 > size
    if start.startswith(b".snd"):
        # The size of the samples or, as some programs have it, of the file.
        stated = int.from_bytes(start[8:12], "big")
        return stated not in UNKNOWN_SIZES and stated > size
    if start.startswith(b"OggS"):
        return not _ends_stream(end[end.rfind(b"OggS") :])
    expected = soundfile.info(path).frames
    return path.lower().endswith(".mp3") and n_samples + MP3_SLACK < expected


def _ends_stream(page):
    """Whether an Ogg page is whole and marked as the last of its stream."""
    if len(page) < 27:
        return False
    lengths = page[27 : 27 + page[26]]
    whole = len(lengths) == page[26] and len(page) >= 27 + page[26] + sum(
        lengths
    )
    return whole and bool(page[5] & 4)
