"""Parts of messages: names of many, the first line of an error."""

from collections.abc import Collection

N_NAMED = 10  # how many of a list of offenders a message names


def name_some(names: Collection[str]) -> str:
    """Lists names for a message: the first ones, and how many there are more.

    Arguments
    ---------
    names : collection of str
        What to name.

    Returns
    -------
    str

    Example
    -------
    >>> name_some(["a.wav", "b.wav"])
    'a.wav, b.wav'
    """
    more = len(names) - N_NAMED
    listed = ", ".join(list(names)[:N_NAMED])
    return listed if more <= 0 else f"{listed} and {more} more"


def first_line(error: Exception) -> str:
    """The gist of a library's long message."""
    return str(error).strip().split("\n")[0]
