"""Reads an audio file whole, or says what is wrong with it."""

import os

import soundfile
import torch

from speechbrain.dataio import audio_io
from speechbrain.dataio.preprocess import AudioNormalizer

OGG_PAGE = 65307  # bytes that a page has at most
UNKNOWN_SIZES = (0, 0xFFFFFFFF)  # what writes to a pipe leaves in a header
MP3_SLACK = 4 * 1152  # samples by which its header may be off


def read_audio(path: str, normalizer: AudioNormalizer) -> torch.Tensor:
    """Reads a local audio file as a mono waveform [samples].

    Arguments
    ---------
    path : str
        The file: wav, flac, ogg or mp3.
    normalizer : AudioNormalizer
        Resamples and averages the channels.

    Raises
    ------
    ValueError
        If there is no such file, it is not audio, was cut off, or holds no
        sample.
    """
    path = str(path)
    if not os.path.isfile(path):
        raise ValueError(f"There is no file '{path}'.")
    try:
        audio, rate = audio_io.load(path, channels_first=False)
        cut_off = is_cut_off(path, len(audio))
    except (RuntimeError, OSError, ValueError) as error:
        raise ValueError(
            f"'{path}' cannot be read as audio (wav, flac, ogg or mp3): {error}"
        ) from error
    if cut_off:
        raise ValueError(
            f"'{path}' is cut off: it ends before the end that its format "
            "marks. Copy it again."
        )
    if len(audio) == 0:
        raise ValueError(f"'{path}' holds no audio: it has no sample.")
    return normalizer(audio, rate)


def is_cut_off(path: str, n_samples: int) -> bool:
    """Whether a file that can be decoded ends too early.

    libsndfile gives what is there of a truncated wav, ogg or mp3 file, and
    says nothing. (Of a flac file it does.)

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
        start = file.read(8)
        file.seek(max(0, size - 2 * OGG_PAGE))
        end = file.read()
    if start.startswith(b"RIFF"):
        stated = int.from_bytes(start[4:], "little")
        return stated not in UNKNOWN_SIZES and stated + 8 > size
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
