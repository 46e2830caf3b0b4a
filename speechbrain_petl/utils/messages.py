"""Parts of messages: names of many, the first line of an error, safe texts."""

import html
import re
import unicodedata
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


def printable(text: object) -> str:
    r"""Returns a text as one line in which nothing acts on a terminal.

    Control characters (escape sequences, line ends), invisible ones such as
    those that turn the direction of writing, and lone surrogates are written
    as in Python's strings. All else, of any script, stays.

    Arguments
    ---------
    text : object
        Label, file name or other text of unknown origin.

    Returns
    -------
    str

    Example
    -------
    >>> print(printable("hund" + chr(27) + "[31m" + chr(10) + "犬"))
    hund\x1b[31m\n犬
    """
    return "".join(
        c
        if c.isprintable() or unicodedata.category(c) == "Zs"
        else repr(c)[1:-1]
        for c in str(text)
    )


def markdown(text: object) -> str:
    r"""Returns a text for a Markdown page, neither markup nor HTML.

    Arguments
    ---------
    text : object
        Label, name or other text of unknown origin.

    Returns
    -------
    str

    Example
    -------
    >>> print(markdown("<b>a_b</b> [x](y)"))
    &lt;b&gt;a\_b&lt;/b&gt; \[x\](y)
    """
    plain = html.escape(printable(text), quote=False)
    return re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", plain)
