"""Plans: what an artefact asks for, before it is made.

A plan is a row of the list in ``allowed`` and the arguments that go with it.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from speechbrain_petl.artefacts.format import LOCATE
from speechbrain_petl.artefacts.kinds import Record, misfit

# How each role is named in YAML: made at once, or called later.
ROLES = {
    "backbone": "!new",
    "front end": "!new",
    "encoder": "!new",
    "head": "!new",
    "wrapper": "!name",
    "adapter": "!name",
    "mixture": "!name",
    "learner": "!name",
    "activation": "!name",
    "configuration of peft": "!name",
}


@dataclass(frozen=True)
class Row:
    """A class that an artefact may name.

    Arguments
    ---------
    role : str
        What its objects are for, one of ``ROLES``.
    address : str
        Where the class is.
    arguments : Record
        The arguments that an artefact may give, in the constructor's order.
    """

    role: str
    address: str
    arguments: Record

    @property
    def is_made_at_once(self) -> bool:
        """True if YAML makes an object (``!new``), not what makes one."""
        return ROLES[self.role] == "!new"

    def load(self) -> type:
        """Imports the class."""
        module, _, name = self.address.rpartition(".")
        try:
            return getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            package = module.partition(".")[0]
            raise ValueError(
                f"This artefact needs '{self.address}', which the installed "
                f"{package} does not have: pip install {package}, in a "
                "version that setup.py allows."
            ) from error


@dataclass
class Plan:
    """What an artefact asks for: a row of the list and its arguments."""

    row: Row
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Made:
    """An object of a listed class that has one of these roles."""

    roles: tuple[str, ...]

    def __init__(self, *roles: str):
        object.__setattr__(self, "roles", roles or tuple(ROLES))

    def misfits(self, value: object, where: str) -> list[str]:
        """See ``Kind``."""
        if not isinstance(value, Plan) or value.row.role not in self.roles:
            named = value.row.address if isinstance(value, Plan) else value
            return misfit(named, where, f"one of the {self.roles[0]} classes")
        return value.row.arguments.misfits(value.arguments, where)


@dataclass(frozen=True)
class Located:
    """A backbone's source; it is found when the backbone is loaded."""

    def misfits(self, value: object, where: str) -> list[str]:
        """See ``Kind``."""
        expected = f"'{LOCATE} [!ref <source>]'"
        return [] if value is self else misfit(value, where, expected)


LOCATED = Located()
