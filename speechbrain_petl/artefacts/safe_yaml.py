"""Builds modules from an artefact's YAML read as data, without trusting it.

SpeechBrain's ``from_hparams`` constructs whatever a YAML names. Here the YAML
is only read; of what it names, only network modules of trusted packages are
made, and nothing else is called.
"""

import ast
import dataclasses
import functools
import importlib
import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.error import YAMLError
from torch import nn

# Packages whose modules an artefact may be made of.
TRUSTED = ("speechbrain_petl.lobes", "speechbrain.nnet", "torch.nn", "peft")
REFERENCE = re.compile(r"<(\w+)>")


class Spec:
    """The keys of an artefact's ``hyperparams.yaml``, built on demand.

    Arguments
    ---------
    path : str or Path
        The file.
    given : mapping
        Objects that take the place of keys of the file.
    trusted : tuple of str
        Packages from which it may make modules.

    Raises
    ------
    ValueError
        If the file is missing or asks for anything but a module of a
        trusted package.

    Example
    -------
    >>> path = getfixture("tmp_path") / "hyperparams.yaml"
    >>> _ = path.write_text("head: !new:torch.nn.Linear [3, 2]")
    >>> Spec(path).build("head")
    Linear(in_features=3, out_features=2, bias=True)
    >>> _ = path.write_text("head: !new:os.system [ls]")
    >>> Spec(path).build("head")
    Traceback (most recent call last):
    ...
    ValueError: ...'!new:os.system'...
    """

    def __init__(
        self,
        path: str | Path,
        given: Mapping[str, Any] | None = None,
        trusted: tuple[str, ...] = TRUSTED,
    ):
        self.path = str(path)
        try:
            self.tree = YAML().load(Path(path).read_text("utf-8"))
        except FileNotFoundError as error:
            raise ValueError(
                f"There is no artefact: '{path}' is missing."
            ) from error
        except (YAMLError, UnicodeDecodeError) as error:
            raise ValueError(f"'{path}' cannot be read as YAML.") from error
        if not isinstance(self.tree, CommentedMap):
            raise ValueError(f"'{path}' has no keys.")
        self.built = dict(given or {})
        self.trusted = trusted

    def build(self, key: str) -> Any:
        """The object of a top-level key, made once."""
        if key not in self.built:
            self.built[key] = self._value(self._node(key))
        return self.built[key]

    def options(self, key: str) -> dict:
        """The plain values among the arguments of a top-level key's object."""
        return {
            name: _plain(node)
            for name, node in self._node(key).items()
            if isinstance(node, (str, int, float, bool, type(None)))
        }

    def _node(self, key):
        """What stands at a top-level key."""
        if key not in self.tree:
            raise ValueError(f"'{self.path}' has no key '{key}'.")
        return self.tree[key]

    def _value(self, node):
        """The object that a node stands for."""
        tag = getattr(getattr(node, "tag", None), "value", None)
        if tag == "!ref":
            match = REFERENCE.fullmatch(node.value)
            if not match:
                raise ValueError(
                    f"'{self.path}': cannot follow '{node.value}'."
                )
            return self.build(match[1])
        args, kwargs = [], {}
        if isinstance(node, CommentedMap):
            kwargs = {k: self._value(v) for k, v in node.items()}
        elif isinstance(node, CommentedSeq):
            args = [self._value(v) for v in node]
        elif not isinstance(node, TaggedScalar):
            return _plain(node)
        if tag is None:
            return args if isinstance(node, CommentedSeq) else kwargs
        kind, _, name = tag.partition(":")
        found = self._find(kind, name, tag)
        try:
            made = functools.partial(found, *args, **kwargs)
            return made() if kind == "!new" else made
        except (TypeError, AttributeError, RuntimeError) as error:
            raise ValueError(
                f"'{self.path}': '{tag}' cannot be made: {error}."
            ) from error

    def _find(self, kind, name, tag):
        """A module's class, or what one calls: a function, a configuration."""
        if kind in ("!new", "!name") and self._is_trusted(name):
            module, _, name = name.rpartition(".")
            try:
                found = getattr(importlib.import_module(module), name, None)
            except ImportError:
                found = None
            is_module = inspect.isclass(found) and issubclass(found, nn.Module)
            is_named = kind == "!name" and (
                inspect.isfunction(found) or dataclasses.is_dataclass(found)
            )
            if self._is_trusted(getattr(found, "__module__", "")) and (
                is_module or is_named
            ):
                return found
        raise ValueError(
            f"'{self.path}' asks for '{tag}', but only modules of "
            f"{', '.join(self.trusted)} are made from an artefact here; if you "
            "trust it, load it with PETLClassifier.from_hparams."
        )

    def _is_trusted(self, name):
        """Whether a dotted name lies in a trusted package."""
        return any(name == p or name.startswith(f"{p}.") for p in self.trusted)


def _plain(node):
    """A scalar of Python's own types; HyperPyYAML's ``(3, 4)`` is a tuple."""
    if isinstance(node, str) and re.fullmatch(r"\(.*\)", node):
        return ast.literal_eval(node)
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node
