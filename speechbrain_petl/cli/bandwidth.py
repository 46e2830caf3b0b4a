"""Tells of files that lack the high frequencies a model was trained on."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from speechbrain_petl.dataio.audio import header_rate
from speechbrain_petl.utils.messages import printable


def trained_rate(metadata: Mapping[str, Any]) -> int:
    """Returns the sample rate, in Hz, that a model's data really had.

    Arguments
    ---------
    metadata : mapping
        An artefact's ``artefact.json``.

    Returns
    -------
    int
        That of its input or, if lower, of the training files.

    Example
    -------
    >>> features = {"sample_rate": 16000}
    >>> trained_rate({"features": features, "training": {}})
    16000
    >>> data = {"source_rate": 8000}
    >>> trained_rate({"features": features, "training": {"data": data}})
    8000
    """
    rate = metadata["features"]["sample_rate"]
    return min(
        rate, metadata["training"].get("data", {}).get("source_rate", rate)
    )


def watch(paths: Iterable[str], rate: int) -> Iterator[str]:
    """Passes files on, and tells of those of half the rate or less.

    The first one is named on stderr, and at the end how many there were. Only
    headers are read; a file without one fails where it is decoded.

    Arguments
    ---------
    paths : iterable of str
        Files.
    rate : int
        As from ``trained_rate``.

    Yields
    ------
    str
        The same.
    """
    narrow = 0
    for path in paths:
        here = header_rate(path)
        if here is not None and here <= rate / 2:
            narrow += 1
            if narrow == 1:
                print(
                    f"Warning: '{printable(path)}' is sampled at {here} Hz, "
                    f"the model was trained on {rate} Hz: nothing above "
                    f"{here // 2} Hz is there to be heard, and predictions "
                    "may be worse than its figures.",
                    file=sys.stderr,
                )
        yield path
    if narrow > 1:
        print(f"Warning: {narrow} files are like that.", file=sys.stderr)
