"""An artefact's YAML as plain data: nothing is constructed, all is bounded."""

import re
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
from speechbrain_petl.utils.messages import printable

MOST_NODES = 5000
MOST_OBJECTS = 64
DEEPEST = 20
PLAIN_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Tagged:
    """A node with a tag of HyperPyYAML, such as ``!ref``.

    Arguments
    ---------
    tag : str
        Tag of the node.
    value : object
        Value of the node, as plain data.
    """

    tag: str
    value: Any


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
    """Returns a node's tag if it is more than a plain type of YAML."""
    tag = str(node.tag)
    plain = ("null", "bool", "int", "float", "str", "seq", "map")
    return None if tag in {f"{PLAIN_TAG}{name}" for name in plain} else tag


def _tree(node: Node, path: str) -> Any:
    """Converts a node of ruamel into plain data, tagged if it has a tag."""
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
    """Converts a scalar into one of Python's own types."""
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
