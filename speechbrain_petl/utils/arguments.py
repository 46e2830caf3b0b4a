"""Options and kinds of values that several command lines share."""

import argparse
import math

SIZES = {"K": 1_000, "M": 1_000_000, "B": 1_000_000_000}
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def add_debug(parser: argparse.ArgumentParser) -> None:
    """Adds the option ``--debug``, for ``errors.run_command``."""
    parser.add_argument(
        "--debug", action="store_true", help="show the traceback of an error"
    )


def add_computing(parser: argparse.ArgumentParser) -> None:
    """Adds ``--device`` and ``--precision``, of commands that use a model."""
    parser.add_argument(
        "--device", default="cpu", help="device, such as cuda:0 (default: cpu)"
    )
    parser.add_argument(
        "--precision",
        choices=["fp32", "bf16", "fp16", "auto"],
        default="fp32",
        help="what models compute in; auto is bf16 where the device has it in "
        "hardware: faster, with a little less exact answers (default: fp32)",
    )


def count(text: str) -> int:
    """Reads a whole number from 1.

    Arguments
    ---------
    text : str
        Value of an option.

    Returns
    -------
    int

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none.

    Example
    -------
    >>> count("3")
    3
    """
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number from 1")
    return number


def shard(text: str) -> tuple[int, int]:
    """Reads which of how many parts, such as ``3/8``.

    Arguments
    ---------
    text : str
        Value of an option.

    Returns
    -------
    (int, int)

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none.

    Example
    -------
    >>> shard("3/8")
    (3, 8)
    """
    first, _, second = text.partition("/")
    if not (first.isdecimal() and second.isdecimal()) or not (
        1 <= int(first) <= int(second)
    ):
        raise argparse.ArgumentTypeError(
            f"'{text}' is no part such as 3/8: the third of eight"
        )
    return int(first), int(second)


def quantity(text: str) -> int:
    """Reads a whole number from 1, such as ``500000``, ``500K`` or ``1.5M``.

    Arguments
    ---------
    text : str
        Value of an option.

    Returns
    -------
    int

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none.

    Example
    -------
    >>> quantity("500K"), quantity("1.5M")
    (500000, 1500000)
    """
    unit = text[-1:].upper()
    number = text[:-1] if unit in SIZES else text
    try:
        found = float(number) * SIZES.get(unit, 1)
    except ValueError:
        found = 0.0
    if not 1 <= found < math.inf or found != int(found):
        raise argparse.ArgumentTypeError(
            f"'{text}' is no whole number from 1, such as 500K or 1M"
        )
    return int(found)


def duration(text: str) -> float:
    """Reads a duration such as ``90``, ``90s``, ``15m``, ``2.5h`` or ``1d``.

    Arguments
    ---------
    text : str
        Value of an option; a number without a unit counts seconds.

    Returns
    -------
    float
        Duration in seconds.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none, or not positive.

    Example
    -------
    >>> duration("2.5h")
    9000.0
    """
    number, unit = (
        (text, "s") if text[-1:] not in UNITS else (text[:-1], text[-1])
    )
    try:
        seconds = float(number) * UNITS[unit]
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no duration, such as 90s, 15m or 2.5h"
        )
    return seconds
