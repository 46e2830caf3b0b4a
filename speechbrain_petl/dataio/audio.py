"""Reads an audio file or a part of it, or tells what is wrong with it."""

import os
from collections.abc import Iterable, Iterator

import numpy as np
import soundfile
import torch
from speechbrain_petl.dataio.containers import CHECKED, is_cut_off
from speechbrain_petl.dataio.resampling import (
    HIGHEST_RATE,
    LOWEST_RATE,
    normalize,
    usable_rate,
)

from speechbrain.dataio.preprocess import AudioNormalizer

MP3_SLACK = 4 * 1152  # samples by which the length in its header may be off
FLOATS = ("FLOAT", "DOUBLE")  # the encodings that can hold any number
# Full scale is 1. The samples of 32-bit integers that nobody scaled reach
# 2 ** 31; the power of much larger ones overflows in the features.
LOUDEST = 2.0**31
BLOCK = 1 << 20  # samples decoded at once when only looking

# What to say of a file that cannot be used. ``{path}`` and the like are
# filled in by ``read_audio``.
REASONS = {
    "missing": "There is no file '{path}'.",
    "folder": "'{path}' is a folder and no audio file.",
    "unreadable": "'{path}' cannot be read as audio (wav, aiff, au, caf, "
    "flac, ogg or mp3): {error}",
    "unsupported": "'{path}' is of a format in which a file that was cut off "
    "looks whole: convert it to wav or flac.",
    "sample rate": "'{path}' has a sample rate of {rate} Hz, which is not "
    f"between {LOWEST_RATE} and {HIGHEST_RATE}: its header is damaged.",
    "cut off": "'{path}' is cut off: it ends before the end that its format "
    "marks. Copy it again.",
    "empty": "'{path}' holds no audio: it has no sample.",
    "not finite": "'{path}' holds samples that are nan or infinite: write it "
    "anew.",
    "out of range": "'{path}' holds samples beyond 2^31, where full scale is 1: "
    "write it anew.",
}
FAILURES = (RuntimeError, OSError, ValueError, TypeError, MemoryError)


def header_rate(path: str | os.PathLike) -> int | None:
    """Returns the sample rate that a file's header names, in Hz.

    Arguments
    ---------
    path : str or path-like
        Audio file.

    Returns
    -------
    int or None
        None if the header cannot be read; decoding the file tells why.

    Example
    -------
    >>> header_rate("nowhere.wav") is None
    True
    """
    try:
        return soundfile.info(os.fspath(path)).samplerate
    except Exception:  # also a TypeError, of a file without a header
        return None


def read_audio(
    path: str,
    normalizer: AudioNormalizer,
    start: int = 0,
    stop: int | None = None,
) -> torch.Tensor:
    """Reads a local audio file, or a part of it, as a mono waveform.

    Of a part, no more is decoded than the format requires.

    Arguments
    ---------
    path : str
        Audio file: wav, aiff, au, caf, flac, ogg or mp3.
    normalizer : AudioNormalizer
        Has the wanted sample rate; averages the channels.
    start : int
        First sample of the part, at the rate of the file.
    stop : int, optional
        Sample after the last one of the part; None is the end of the file.

    Returns
    -------
    torch.Tensor
        Waveform [time].

    Raises
    ------
    ValueError
        If there is no such file, it is not audio, was cut off, holds no
        sample, or one that is nan, infinite or enormous, or ends before the
        part does.

    Example
    -------
    >>> path = str(getfixture("tmp_path") / "a.wav")
    >>> soundfile.write(path, np.zeros((100, 2)), 8000)
    >>> read_audio(path, AudioNormalizer(16000)).shape
    torch.Size([200])
    >>> read_audio(path, AudioNormalizer(16000), 20, 70).shape
    torch.Size([100])
    """
    path = str(path)
    if not os.path.isfile(path):
        raise unusable(path, "folder" if os.path.isdir(path) else "missing")
    try:
        with soundfile.SoundFile(path) as file:
            rate, reason = file.samplerate, reason_in_header(path, file)
            if reason is None:
                wanted = (file.frames if stop is None else stop) - start
                if start:
                    file.seek(start)
                audio = file.read(
                    -1 if stop is None else wanted,
                    dtype="float32",
                    always_2d=True,
                )
                skipped = file.frames - wanted
                reason = reason_in_samples(file, [audio], skipped)
    except FAILURES as error:
        raise unusable(path, "unreadable", error=error) from error
    if reason is not None:
        raise unusable(path, reason, rate=rate)
    return normalize(audio, rate, normalizer)


def unusable(path: str, reason: str, **facts) -> ValueError:
    """Returns the error to raise about a file that cannot be used."""
    return ValueError(REASONS[reason].format(path=path, **facts))


def look_at(path: str) -> tuple[float, str | None]:
    """Finds what would keep a file from being read, decoding little of it.

    The header, the size of the file and its last sample vouch for what lies
    between. MP3 files are decoded, as their header may count frames that are
    no longer there; floating-point samples are all looked at.

    Arguments
    ---------
    path : str
        Audio file.

    Returns
    -------
    duration : float
        Duration in seconds.
    reason : str or None
        Why the file cannot be used, a key of ``REASONS``.

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
            reason = reason_in_header(path, file)
            if reason is None:
                if file.format == "MP3" or file.subtype in FLOATS:
                    skipped = 0
                else:
                    skipped = file.seek(file.frames - 1)
                reason = reason_in_samples(file, decoded(file), skipped)
            if reason is not None:
                return 0.0, reason
            return file.frames / file.samplerate, None
    except FAILURES:
        return 0.0, "unreadable"


def decoded(file: soundfile.SoundFile) -> Iterator[np.ndarray]:
    """Yields the samples of a file in blocks [time, channels].

    ``SoundFile.blocks`` gives whole blocks also of a file that is cut off,
    with whatever was in memory behind the last sample.
    """
    while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
        yield block


def reason_in_header(path: str, file: soundfile.SoundFile) -> str | None:
    """Finds what can be seen of a file without decoding it.

    Arguments
    ---------
    path : str
        Audio file.
    file : soundfile.SoundFile
        The same, opened.

    Returns
    -------
    str or None
        Why the file cannot be used, a key of ``REASONS``.
    """
    if file.format not in CHECKED:
        return "unsupported"
    if not usable_rate(file.samplerate):
        return "sample rate"
    if is_cut_off(path):
        return "cut off"
    return None if file.frames else "empty"


def reason_in_samples(
    file: soundfile.SoundFile,
    blocks: Iterable[np.ndarray],
    n_samples: int = 0,
) -> str | None:
    """Looks at decoded samples, and whether there are as many as stated.

    Arguments
    ---------
    file : soundfile.SoundFile
        The file, opened.
    blocks : iterable of numpy.ndarray
        Its samples up to the end [time, channels].
    n_samples : int
        How many samples were left out before them.

    Returns
    -------
    str or None
        Why the file cannot be used, a key of ``REASONS``.
    """
    for block in blocks:
        n_samples += len(block)
        if not np.isfinite(block).all():
            return "not finite"
        if np.abs(block).max(initial=0) > LOUDEST:
            return "out of range"
    slack = MP3_SLACK if file.format == "MP3" else 0
    if n_samples + slack < file.frames:
        return "cut off"
    return None if n_samples else "empty"
