"""Packages that only a part of the library needs."""

from importlib import import_module
from types import ModuleType


def require(package: str, extra: str, user: str) -> ModuleType:
    """Imports a package that an extra of the installation brings.

    Arguments
    ---------
    package : str
        Name of the module.
    extra : str
        Name of the extra.
    user : str
        What needs the package, for the message.

    Returns
    -------
    module

    Raises
    ------
    ValueError
        If it is not installed.

    Example
    -------
    >>> require("no_such_package", "experiments", "plot")
    Traceback (most recent call last):
    ...
    ValueError: plot needs no_such_package: pip install 'speechbrain-petl[experiments]'.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise ValueError(
            f"{user} needs {package}: pip install 'speechbrain-petl[{extra}]'."
        ) from error
