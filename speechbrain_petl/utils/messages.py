"""Parts of messages: names of many, the nearest name, texts that do not act."""

import html
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches

N_NAMED = 10  # how many of a list of offenders a message names


def name_some(names: Collection[str], separator: str = ", ") -> str:
    """Lists names for a message: the first ones, and how many there are more.

    Arguments
    ---------
    names : collection of str
        Names to list.
    separator : str
        What stands between two names.

    Returns
    -------
    str

    Example
    -------
    >>> name_some(["a.wav", "b.wav"])
    'a.wav, b.wav'
    """
    more = len(names) - N_NAMED
    listed = separator.join(list(names)[:N_NAMED])
    return listed if more <= 0 else f"{listed} and {more} more"


def did_you_mean(
    name: object, known: Iterable[object], prefix: str = ""
) -> str:
    """Suggests the nearest known name for an unknown one.

    Arguments
    ---------
    name : object
        Unknown name.
    known : iterable
        Known names.
    prefix : str
        What stands before a name, such as ``--`` before an option.

    Returns
    -------
    str
        Question for the end of a message, or an empty text if no known name
        is near.

    Example
    -------
    >>> did_you_mean("batchsize", ["lr", "batch_size"], prefix="--")
    'did you mean --batch_size?'
    >>> did_you_mean("x", ["lr", "batch_size"])
    ''
    """
    near = get_close_matches(str(name), map(str, known), n=1, cutoff=0.5)
    return f"did you mean {prefix}{near[0]}?" if near else ""


def mismatches(
    own: Mapping[str, Sequence[int]], given: Mapping[str, Sequence[int]]
) -> str:
    """Lists what keeps given tensors from being loaded strictly.

    Arguments
    ---------
    own : mapping of str to sequence of int
        Shapes of the module's tensors, by name.
    given : mapping of str to sequence of int
        Shapes of the tensors to load, by name.

    Returns
    -------
    str
        Missing, unexpected and misshapen tensors for a message; an empty text
        if there are none.

    Example
    -------
    >>> own = {"head.weight": (2, 3), "head.bias": (2,)}
    >>> mismatches(own, {"head.weight": (3, 2)})
    "'head.weight' of shape (3, 2) instead of (2, 3); missing 'head.bias'"
    >>> mismatches(own, own)
    ''
    """
    found = [
        f"'{name}' of shape {tuple(given[name])} instead of {tuple(own[name])}"
        for name in own.keys() & given.keys()
        if tuple(given[name]) != tuple(own[name])
    ]
    found += [f"missing '{name}'" for name in own.keys() - given.keys()]
    found += [f"unexpected '{name}'" for name in given.keys() - own.keys()]
    return name_some(sorted(found), separator="; ")


def first_line(error: Exception) -> str:
    """Returns the first line of an error's message."""
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
