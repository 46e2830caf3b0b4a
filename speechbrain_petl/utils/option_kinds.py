"""Which values can take the place of a default."""

from typing import Any

#: Keys of recipes that count from the end where they are negative.
FROM_THE_END = ("first_layer",)


def check_kind(
    name: str, default: Any, value: Any, negative: bool = False
) -> None:
    """Refuses a value of another kind than the default that it replaces.

    Arguments
    ---------
    name : str
        What is given, for the message, such as ``--lr``.
    default : object
        What it replaces; anything takes the place of None.
    value : object
        The value.
    negative : bool
        If True, it may be negative where the default is not.

    Raises
    ------
    ValueError
        If it is of another kind, or negative where it may not be.

    Example
    -------
    >>> check_kind("--lr", 0.1, 1)
    >>> check_kind("--lr", 0.1, "abc")
    Traceback (most recent call last):
    ...
    ValueError: --lr is a number, such as 0.1, and not 'abc'.
    """
    if default is None or (value is None and isinstance(default, str)):
        return
    if isinstance(default, (list, dict)):
        wanted = {list: "a list", dict: "a mapping"}[type(default)]
        fits = isinstance(value, type(default))
    elif isinstance(default, bool):
        wanted, fits = "True or False", isinstance(value, bool)
    elif isinstance(default, str):
        wanted, fits = "a text", not isinstance(value, (list, dict))
    else:
        whole = isinstance(default, int)
        wanted = "a whole number" if whole else "a number"
        kinds = (int,) if whole else (int, float)
        fits = isinstance(value, kinds) and not isinstance(value, bool)
        if fits and value < 0 <= default and not negative:
            wanted, fits = f"{wanted} that is not negative", False
    if not fits:
        raise ValueError(
            f"{name} is {wanted}, such as {default}, and not {value!r}."
        )
