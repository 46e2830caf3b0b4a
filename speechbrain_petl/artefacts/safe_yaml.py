"""An artefact's YAML read as data, and checked whole before anything is made.

SpeechBrain's ``from_hparams`` constructs whatever a YAML names. Here the text
is only read. What it asks for has to be on the list of ``allowed``, with the
arguments that stand there, and each key that it has is checked.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from speechbrain_petl.artefacts.allowed import LOCATED, Made, Plan, plan
from speechbrain_petl.artefacts.format import LOCATE, REVISION, SOURCE
from speechbrain_petl.artefacts.inference_yaml import tail
from speechbrain_petl.artefacts.kinds import Kind, Plain, Record
from speechbrain_petl.utils.messages import first_line, printable
from torch import nn

MOST_NODES = 5000
MOST_OBJECTS = 64
DEEPEST = 20
REFERENCE = re.compile(r"<(\w+)>")
PLAIN_TAG = "tag:yaml.org,2002:"
# The keys that inference reads
KEYS: dict[str, Kind] = {
    "ast_source": SOURCE,
    "ast_revision": REVISION,
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


@dataclass(frozen=True)
class Tagged:
    """A node with a tag of HyperPyYAML: ``!new:...``, ``!ref``, ..."""

    tag: str
    value: Any


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
        """What a top-level key stands for; the same object each time."""
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
        """A node as plain data and plans."""
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
        if node == Tagged(LOCATE, [Tagged("!ref", "<ast_source>")]):
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

    def build(self, key: str, backbone: nn.Module) -> Any:
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
            """An object of a plan, at once or to be called."""
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
    """What is wrong with the file, without its name."""


def _require(problems):
    """Raises if there are problems."""
    if problems:
        raise _Misfit("; ".join(problems[:3]))


def read_tree(text: str, path: str) -> dict[str, Any]:
    """Reads YAML into dictionaries, lists, scalars and ``Tagged``.

    Nothing is constructed. Aliases, which can make a small text a huge tree,
    are refused, and so is a text of too many or too deep nodes.

    Arguments
    ---------
    text : str
        The file's content.
    path : str
        The file, for messages.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If it is no YAML with keys, or refused.

    Example
    -------
    >>> read_tree("a: !new:x.Y {b: 1}", "hyperparams.yaml")
    {'a': Tagged(tag='!new:x.Y', value={'b': 1})}
    >>> read_tree("a: &x [1]", "hyperparams.yaml")
    {'a': [1]}
    >>> read_tree("a: &x [1]\\nb: *x", "hyperparams.yaml")
    Traceback (most recent call last):
    ...
    ValueError: 'hyperparams.yaml' has an alias, '*x': write what it stands for.
    """
    try:
        _bound(text, path)
        root = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        raise ValueError(f"'{path}' cannot be read as YAML.") from error
    if not isinstance(root, MappingNode) or _tag(root):
        raise ValueError(f"'{path}' has no keys.")
    return _tree(root, path)


def _bound(text, path):
    """Refuses a text of too many or too deep nodes, before any is made."""
    nodes = objects = depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        if isinstance(event, AliasEvent):
            raise ValueError(
                f"'{path}' has an alias, '*{printable(event.anchor)}': write "
                "what it stands for."
            )
        if isinstance(event, DocumentStartEvent) and event.version:
            raise ValueError(f"'{path}' has a directive, %YAML.")
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        tag = getattr(event, "tag", None)
        nodes += 1
        objects += str(tag).startswith(("!new", "!name"))
        if nodes > MOST_NODES or depth > DEEPEST or objects > MOST_OBJECTS:
            raise ValueError(
                f"'{path}' is larger than what any artefact needs: more than "
                f"{MOST_NODES} nodes, {MOST_OBJECTS} objects or {DEEPEST} "
                "levels."
            )


def _tag(node: Node) -> str | None:
    """A node's tag, if it is more than a plain type of YAML."""
    tag = str(node.tag)
    plain = ("null", "bool", "int", "float", "str", "seq", "map")
    return None if tag in {f"{PLAIN_TAG}{name}" for name in plain} else tag


def _tree(node: Node, path: str) -> Any:
    """A node of ruamel's as plain data; its tag, if any, around it."""
    value: Any
    if isinstance(node, MappingNode):
        value = {}
        for key, inner in node.value:
            name = _scalar(key, path) if isinstance(key, ScalarNode) else None
            if not isinstance(name, str) or _tag(key) or name in value:
                raise ValueError(
                    f"'{path}' has a key that is no text, or stands twice: "
                    f"'{printable(name)}'."
                )
            value[name] = _tree(inner, path)
    elif isinstance(node, SequenceNode):
        value = [_tree(inner, path) for inner in node.value]
    elif isinstance(node, ScalarNode):
        value = _scalar(node, path)
    tag = _tag(node)
    return Tagged(tag, value) if tag else value


def _scalar(node: ScalarNode, path: str) -> object:
    """A scalar of Python's own types."""
    text, kind = node.value, str(node.tag).removeprefix(PLAIN_TAG)
    try:
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "int":
            return int(text.replace("_", ""))
        if kind == "float":
            return float(re.sub(r"\.(inf|nan)$", r"\1", text.lower()))
    except ValueError as error:
        raise ValueError(
            f"'{path}': '{printable(text[:60])}' cannot be read as a number."
        ) from error
    return text
