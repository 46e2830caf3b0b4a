"""Blueprint: what an artefact is built of, checked before anything is made.

SpeechBrain's ``from_hparams`` constructs whatever a YAML names. Here the text
is only read. What it asks for has to be on the list of ``allowed``, with the
arguments that stand there, and each key that it has is checked.
"""

import functools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from speechbrain_petl.artefacts.allowed import plan
from speechbrain_petl.artefacts.format import LOCATE, REVISION, SOURCE
from speechbrain_petl.artefacts.kinds import Kind, Plain, Record
from speechbrain_petl.artefacts.plans import LOCATED, Made, Plan
from speechbrain_petl.artefacts.safe_yaml import Tagged, read_tree
from speechbrain_petl.artefacts.tasks import tail, task_of
from speechbrain_petl.utils.messages import first_line, printable

if TYPE_CHECKING:  # what is read here needs no torch
    from torch import nn

REFERENCE = re.compile(r"<(\w+)>")
# The keys that inference reads
KEYS: dict[str, Kind] = {
    "source": SOURCE,
    "revision": REVISION,
    "encoder": Made("encoder"),
    "compute_features": Made("front end"),
    "classifier": Made("head"),
}
BUILD_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
)


class Blueprint:
    """What an artefact is built of: its ``hyperparams.yaml``, checked.

    Arguments
    ---------
    text : str
        The file's content.
    path : str
        The file, for messages.
    metadata : mapping
        The artefact's ``artefact.json``.

    Raises
    ------
    ValueError
        If it cannot be read, is too large or deep, or asks for anything but
        what ``allowed`` lists.
    """

    def __init__(self, text: str, path: str, metadata: Mapping[str, Any]):
        self.path = printable(path)
        self._tree = read_tree(text, self.path)
        self._plans: dict[str, Any] = {}
        self._open: list[str] = []  # keys whose references are followed
        try:
            self._check(metadata)
        except _Misfit as error:
            raise ValueError(f"'{self.path}': {error}.") from error

    def _check(self, metadata):
        """Checks each key of the file."""
        for key in KEYS:
            if key not in self._tree:
                raise _Misfit(f"there is no key '{key}'")
        _require(KEYS["encoder"].misfits(self._plan("encoder"), "encoder"))
        self.backbone = self._plan("encoder").arguments.get("backbone")
        names = [k for k in self._tree if self._plans.get(k) is self.backbone]
        if self.backbone is None or not names:
            raise _Misfit("encoder.backbone should be '!ref' to a key")
        fixed = tail(
            names[0],
            metadata["features"]["sample_rate"],
            metadata["tensors"]["sha256"],
            task_of(metadata),
            metadata.get("decision"),
        )
        last = read_tree(fixed, self.path)
        for key, node in last.items():
            if self._tree.get(key) != node:
                raise _Misfit(f"'{key}' is not what every artefact has there")
        found = {key: self._plan(key) for key in self._tree if key not in last}
        others: dict[str, Kind] = {
            key: Made() if isinstance(value, Plan) else Plain()
            for key, value in found.items()
        }
        _require(Record(optional={**others, **KEYS}).misfits(found, ""))

    def _plan(self, key):
        """Returns what a top-level key stands for; the same object each time."""
        if key in self._open:
            raise _Misfit(f"'{key}' refers to itself")
        if key not in self._tree:
            raise _Misfit(f"'!ref <{key}>' refers to a key that is not there")
        if key not in self._plans:
            self._open.append(key)
            self._plans[key] = self._value(self._tree[key], key)
            self._open.pop()
        return self._plans[key]

    def _value(self, node, where):
        """Converts a node into plain data and plans."""
        if isinstance(node, dict):
            return {k: self._value(v, f"{where}.{k}") for k, v in node.items()}
        if isinstance(node, list):
            return [self._value(v, f"{where}[{i}]") for i, v in enumerate(node)]
        if not isinstance(node, Tagged):
            return node
        if node.tag == "!ref":
            match = REFERENCE.fullmatch(str(node.value))
            if not match:
                raise _Misfit(f"{where} should be '!ref <key>'")
            return self._plan(match[1])
        if node == Tagged(LOCATE, [Tagged("!ref", "<source>")]):
            return LOCATED
        arguments = node.value
        if arguments in ("", None):
            arguments = {}
        elif not isinstance(arguments, (dict, list)):
            raise _Misfit(f"{where} should have arguments by name")
        try:
            return plan(node.tag, self._value(arguments, where), where)
        except ValueError as error:
            raise _Misfit(str(error)) from error

    def options(self) -> dict[str, Any]:
        """Returns how the backbone is fitted: clip length, pooling, ..."""
        return {
            name: value
            for name, value in self.backbone.arguments.items()
            if name not in ("source", "revision")
        }

    def build(self, key: str, backbone: "nn.Module") -> Any:
        """Makes the object of a top-level key.

        Arguments
        ---------
        key : str
            ``encoder``, ``compute_features`` or ``classifier``.
        backbone : torch.nn.Module
            What stands for the backbone, already fitted.

        Returns
        -------
        torch.nn.Module

        Raises
        ------
        ValueError
            If arguments do not go together.
        """

        def make(value):
            """Makes the object of a plan, or what will make it when called."""
            if value is self.backbone:
                return backbone
            if isinstance(value, list):
                return [make(one) for one in value]
            if isinstance(value, Mapping):
                return {name: make(one) for name, one in value.items()}
            if not isinstance(value, Plan):
                return value
            made = functools.partial(
                value.row.load(), **make(dict(value.arguments))
            )
            return made() if value.row.is_made_at_once else made

        try:
            return make(self._plans[key])
        except BUILD_ERRORS as error:
            raise ValueError(
                f"'{self.path}': '{key}' cannot be made: "
                f"{printable(first_line(error))}."
            ) from error


class _Misfit(ValueError):
    """Returns what is wrong with the file, without its name."""


def _require(problems):
    """Raises if there are problems."""
    if problems:
        raise _Misfit("; ".join(problems[:3]))
