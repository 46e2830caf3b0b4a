"""PNG files of pictures in gray or color, without a library for figures."""

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# From dark to bright: black, violet, red, orange, light yellow
HEAT = (
    (0, 0, 4),
    (80, 18, 123),
    (182, 54, 121),
    (251, 136, 97),
    (252, 253, 191),
)


def heat_png(values: np.ndarray) -> bytes:
    """Encodes numbers as a picture, the small ones dark, the large ones bright.

    Arguments
    ---------
    values : numpy.ndarray
        Numbers [rows, columns], the first row at the top. The range is theirs.

    Returns
    -------
    bytes
        Content of a PNG file.

    Example
    -------
    >>> heat_png(np.eye(4))[1:4]
    b'PNG'
    """
    low, high = float(values.min()), float(values.max())
    level = (values - low) / (high - low) if high > low else values * 0.0
    stops = np.linspace(0.0, 1.0, len(HEAT))
    colors = np.array(HEAT, dtype=float)
    pixels = np.stack(
        [np.interp(level, stops, colors[:, k]) for k in range(3)], axis=-1
    )
    return rgb_png(pixels.round().astype(np.uint8))


def rgb_png(pixels: np.ndarray) -> bytes:
    """Encodes pixels [rows, columns, 3] of 8 bits as a PNG file."""
    rows, columns, _ = pixels.shape
    filtered = np.zeros((rows, 1 + 3 * columns), dtype=np.uint8)
    filtered[:, 1:] = pixels.reshape(rows, -1)
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    return SIGNATURE + b"".join(
        _chunk(kind, data)
        for kind, data in (
            (b"IHDR", header),
            (b"IDAT", zlib.compress(filtered.tobytes(), 9)),
            (b"IEND", b""),
        )
    )


def _chunk(kind, data):
    """Returns a chunk of a PNG file."""
    checksum = zlib.crc32(kind + data)
    return (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
    )
