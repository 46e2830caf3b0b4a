"""Kinds of values: what may stand in a file from somebody else.

Each kind has ``misfits(value, where)``: sentences about what does not fit,
none if the value is of the kind. The schema of ``artefact.json`` and the
arguments of the classes that an artefact may name are made of these.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from speechbrain_petl.utils.messages import printable

LONGEST_SHOWN = 60  # characters of a value that a message quotes


class Kind(Protocol):
    """Anything that says what is wrong with a value."""

    def misfits(self, value: object, where: str) -> list[str]:
        """Returns what is wrong with a value, in words; nothing if it fits."""


def misfit(value: object, where: str, expected: str) -> list[str]:
    """Returns the sentence for a value that is not what it should be.

    Example
    -------
    >>> misfit(3, "probe.seed", "a text")
    ['probe.seed should be a text, not 3']
    """
    shown = printable(repr(value))
    if len(shown) > LONGEST_SHOWN:
        shown = f"{shown[:LONGEST_SHOWN]}..."
    return [f"{printable(where)} should be {expected}, not {shown}"]


@dataclass(frozen=True)
class Number:
    """A finite number within bounds, both included.

    Example
    -------
    >>> Number(1, 9, whole=True).misfits(float("inf"), "x")
    ['x should be a whole number from 1 to 9, not inf']
    """

    low: float
    high: float
    whole: bool = False

    def misfits(self, value: object, where: str) -> list[str]:
        """See ``Kind``."""
        kinds = int if self.whole else (int, float)
        if (
            isinstance(value, kinds)
            and not isinstance(value, bool)
            and math.isfinite(value)
            and self.low <= value <= self.high
        ):
            return []
        what = "a whole number" if self.whole else "a number"
        return misfit(
            value, where, f"{what} from {self.low:,} to {self.high:,}"
        )


@dataclass(frozen=True)
class Flag:
    """True or False."""

    def misfits(self, value: object, where: str) -> list[str]:
        """See ``Kind``."""
        return (
            [] if isinstance(value, bool) else misfit(value, where, "a boolean")
        )


@dataclass(frozen=True)
class Choice:
    """One of some values.

    Example
    -------
    >>> Choice("mean", "cls").misfits("x", "pooling")
    ["pooling should be one of 'mean', 'cls', not 'x'"]
    """

    values: tuple[object, ...]

    def __init__(self, *values: object):
        object.__setattr__(self, "values", values)

    def misfits(self, value: object, where: str) -> list[str]:
        """See ``Kind``."""
        # Not by ==, for which 1 is True.
        same = [type(v) is type(value) and v == value for v in self.values]
        options = ", ".join(map(repr, self.values))
        return [] if any(same) else misfit(value, where, f"one of {options}")


@dataclass(frozen=True)
class Text:
    """A text of bounded length, if wanted of a pattern."""

    longest: int = 1000
    pattern: str = r"(?s:.*)"
    what: str = "a text"

    def misfits(self, value: object, where: str) -> list[str]:
        """See ``Kind``."""
        if isinstance(value, str) and (
            len(value) <= self.longest and re.fullmatch(self.pattern, value)
        ):
            return []
        at_most = f"{self.what} of at most {self.longest:,} characters"
        return misfit(value, where, at_most)


@dataclass(frozen=True)
class Maybe:
    """Null, or a value of a kind."""

    kind: Kind

    def misfits(self, value: object, where: str) -> list[str]:
        """See ``Kind``."""
        return [] if value is None else self.kind.misfits(value, where)


@dataclass(frozen=True)
class Either:
    """A value of one kind, or of another.

    Example
    -------
    >>> kind = Either(Number(0, 9), Text())
    >>> kind.misfits("a", "x"), kind.misfits(None, "x")
    ([], ['x should be a number from 0 to 9, not None'])
    """

    first: Kind
    second: Kind

    def misfits(self, value: object, where: str) -> list[str]:
        """See ``Kind``."""
        found = self.first.misfits(value, where)
        return found if self.second.misfits(value, where) else []


@dataclass(frozen=True)
class ListOf:
    """A list of values of one kind."""

    kind: Kind
    longest: int
    shortest: int = 0

    def misfits(self, value: object, where: str) -> list[str]:
        """See ``Kind``."""
        if not isinstance(value, list):
            return misfit(value, where, "a list")
        if not self.shortest <= len(value) <= self.longest:
            return [
                f"{printable(where)} should have {self.shortest:,} to "
                f"{self.longest:,} entries, not {len(value):,}"
            ]
        return [
            problem
            for i, one in enumerate(value)
            for problem in self.kind.misfits(one, f"{where}[{i}]")
        ]


@dataclass(frozen=True)
class OneOrMore:
    """A value of a kind, or a list of a few of them."""

    kind: Kind
    longest: int

    def misfits(self, value: object, where: str) -> list[str]:
        """See ``Kind``."""
        if isinstance(value, list):
            return ListOf(self.kind, self.longest, 1).misfits(value, where)
        return self.kind.misfits(value, where)


@dataclass(frozen=True)
class MapOf:
    """A mapping with keys of one kind and values of another."""

    key: Kind
    kind: Kind
    longest: int = 1000

    def misfits(self, value: object, where: str) -> list[str]:
        """See ``Kind``."""
        if not isinstance(value, Mapping):
            return misfit(value, where, "a mapping")
        if len(value) > self.longest:
            return [
                f"{printable(where)} should have at most {self.longest:,} "
                f"keys, not {len(value):,}"
            ]
        return [
            problem
            for key, one in value.items()
            for problem in (
                *self.key.misfits(key, f"a key of {where}"),
                *self.kind.misfits(one, f"{where}.{key}"),
            )
        ]


@dataclass(frozen=True)
class Record:
    """A mapping with known keys, each of a kind of its own.

    Arguments
    ---------
    required : mapping of str to Kind
        The keys that have to be there.
    optional : mapping of str to Kind
        The keys that may be there.
    others : bool
        If True, lets any other key stand there: nobody reads it.

    Example
    -------
    >>> Record({"a": Flag()}).misfits({"b": 1}, "x")
    ['x.a is missing', "x has the unknown key 'b'"]
    """

    required: Mapping[str, Kind]
    optional: Mapping[str, Kind]
    others: bool

    def __init__(
        self,
        required: Mapping[str, Kind] | None = None,
        optional: Mapping[str, Kind] | None = None,
        others: bool = False,
    ):
        object.__setattr__(self, "required", required or {})
        object.__setattr__(self, "optional", optional or {})
        object.__setattr__(self, "others", others)

    def misfits(self, value: object, where: str) -> list[str]:
        """See ``Kind``."""
        if not isinstance(value, Mapping):
            return misfit(value, where or "it", "a mapping")
        prefix = f"{where}." if where else ""
        known = {**self.required, **self.optional}
        problems = [
            f"{prefix}{key} is missing"
            for key in self.required
            if key not in value
        ]
        for key, one in value.items():
            if key in known:
                problems += known[key].misfits(one, f"{prefix}{key}")
            elif not self.others:
                problems.append(
                    f"{where or 'it'} has the unknown key "
                    f"'{printable(str(key)[:LONGEST_SHOWN])}'"
                )
        return problems


@dataclass(frozen=True)
class Plain:
    """Anything of JSON that is only shown: bounded, its numbers finite."""

    deepest: int = 4

    def misfits(self, value: object, where: str) -> list[str]:
        """See ``Kind``."""
        if value is None or isinstance(value, (str, bool, int)):
            return []
        if isinstance(value, float) and math.isfinite(value):
            return []
        if self.deepest and isinstance(value, list):
            return ListOf(Plain(self.deepest - 1), 10_000).misfits(value, where)
        if self.deepest and isinstance(value, Mapping):
            inner = Plain(self.deepest - 1)
            return MapOf(Text(), inner).misfits(value, where)
        return misfit(value, where, "a plain value")
