"""Finds audio files that were cut off, by what their format states.

libsndfile decodes what is there of a truncated file and reports no error,
except for FLAC.
"""

import os
from typing import BinaryIO

OGG_PAGE = 65307  # largest size of a page in bytes
# What writers to a pipe, which cannot go back, leave as the size.
UNKNOWN_SIZES = (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)

# The formats, in libsndfile's words, whose truncation is noticed: by a size
# that their header states, by their last page or sample, or by decoding.
# Of the others (AVR, MAT, VOC, ...) a truncated file looks whole.
STATES_SIZE = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "NIST")
CHECKED = (*STATES_SIZE, "FLAC", "OGG", "MP3")


def is_cut_off(path: str) -> bool:
    """Returns True if a file ends before the end that its format states.

    Tells WAV (RIFF, RF64, W64), AIFF, AU, CAF, NIST Sphere and Ogg files by
    their header or their last page, without decoding them.

    Arguments
    ---------
    path : str
        Audio file.

    Returns
    -------
    bool

    Example
    -------
    >>> import soundfile
    >>> path = getfixture("tmp_path") / "a.wav"
    >>> soundfile.write(path, [0.0] * 100, 16000)
    >>> is_cut_off(str(path))
    False
    >>> _ = path.write_bytes(path.read_bytes()[:-2])
    >>> is_cut_off(str(path))
    True
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        start = file.read(1024)
        if start.startswith(b"OggS"):
            file.seek(max(0, size - 2 * OGG_PAGE))
            end = file.read()
            return not ends_stream(end[end.rfind(b"OggS") :])
        if start.startswith(b"caff"):
            return caf_is_cut_off(file, size)
    stated = stated_size(start)
    return stated is not None and stated > size


def stated_size(start: bytes) -> int | None:
    """Returns the size that the header of a file states.

    Arguments
    ---------
    start : bytes
        First 1024 bytes of the file.

    Returns
    -------
    int or None
        Size of the whole file in bytes. None if the format is not one of
        those with a size, or the writer did not know it.

    Example
    -------
    >>> stated_size(b"RIFF" + (36).to_bytes(4, "little") + b"WAVE")
    44
    """

    def number(first, last, order):
        """Integer in a range of bytes; None if the writer left it open."""
        found = int.from_bytes(start[first:last], order)
        return None if found in UNKNOWN_SIZES else found

    header, body = 8, None
    if start.startswith(b"RIFF"):
        body = number(4, 8, "little")
    elif start.startswith((b"RIFX", b"FORM")):  # AIFF, AIFC
        body = number(4, 8, "big")
    elif start.startswith(b"RF64") and start[12:16] == b"ds64":
        body = number(20, 28, "little")
    elif start.startswith(b"riff"):  # W64, which counts its header too
        header, body = 0, number(16, 24, "little")
    elif start.startswith(b".snd"):
        header, body = number(4, 8, "big") or 0, number(8, 12, "big")
    elif start.startswith(b"NIST_1A"):
        header, body = 1024, nist_bytes(start)
    return None if body is None else header + body


def nist_bytes(start: bytes) -> int | None:
    """Returns the bytes of audio that a NIST Sphere header states.

    Arguments
    ---------
    start : bytes
        The header, which has one ``name -type value`` a line.

    Returns
    -------
    int or None
        None if it is compressed or a field is missing.
    """
    fields = {}
    for line in start.partition(b"end_head")[0].split(b"\n"):
        name, _, rest = line.partition(b" ")
        fields[name] = rest.rpartition(b" ")[2]
    if b"," in fields.get(b"sample_coding", b""):  # such as pcm,shorten
        return None
    try:
        return (
            int(fields[b"sample_count"])
            * int(fields[b"channel_count"])
            * int(fields[b"sample_n_bytes"])
        )
    except (KeyError, ValueError):
        return None


def caf_is_cut_off(file: BinaryIO, size: int) -> bool:
    """Returns True if a chunk of a CAF file lies beyond its end.

    Arguments
    ---------
    file : binary file
        The CAF file.
    size : int
        Its size in bytes.

    Returns
    -------
    bool
    """
    position, kinds = 8, set()
    while position + 12 <= size:  # less than a chunk's header is padding
        file.seek(position)
        chunk = file.read(12)
        length = int.from_bytes(chunk[4:], "big", signed=True)
        kinds.add(chunk[:4])
        if chunk[:4] == b"data" and length == -1:  # up to the end
            return False
        if length < 0:
            return True
        position += 12 + length
    return position > size or b"data" not in kinds


def ends_stream(page: bytes) -> bool:
    """Returns True if an Ogg page is whole and the last of its stream.

    Arguments
    ---------
    page : bytes
        The page, with what follows it.

    Returns
    -------
    bool
    """
    if len(page) < 27:
        return False
    lengths = page[27 : 27 + page[26]]
    whole = len(lengths) == page[26] and len(page) >= 27 + page[26] + sum(
        lengths
    )
    return whole and bool(page[5] & 4)
