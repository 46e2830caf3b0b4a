"""From a run's resolved YAML to the one that inference loads.

Knows no method: it keeps the nodes that the encoder and the front end are
made of, whatever they are, and leaves the training behind.
"""

import importlib
import inspect
import io
import os
from collections.abc import Mapping
from typing import Any

from hyperpyyaml import RefTag, dump_hyperpyyaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.tag import Tag
from speechbrain_petl.artefacts.format import LOCATE
from speechbrain_petl.artefacts.tasks import CLASSIFICATION, tail

HEADER = """\
# An adapter trained with speechbrain-petl, for SpeechBrain's from_hparams.
# Loading this file makes the objects that it names: it is code.
# source can be overridden; the rest belongs to the tensors.
"""


def inference_yaml(
    run_yaml: str,
    sizes: tuple[int, int],
    source: str,
    revision: str | None,
    sample_rate: int,
    tensors: str,
    made: Mapping[str, Any] | None = None,
    task: str = CLASSIFICATION,
    decision: Mapping[str, Any] | None = None,
) -> str:
    """Derives an artefact's ``hyperparams.yaml``.

    Arguments
    ---------
    run_yaml : str
        HyperPyYAML with resolved references, as
        ``create_experiment_directory`` writes it into the run's folder. It
        has an ``encoder`` with a ``backbone``, ``compute_features``, and
        ``classifier``, a ``!name:`` to be called with the sizes.
    sizes : tuple of int
        Size of the embeddings, and number of classes.
    source : str
        Portable name of the backbone.
    revision : str, optional
        Commit of the backbone on the hub.
    sample_rate : int
        Sample rate of the waveforms in Hz.
    tensors : str
        SHA-256 of ``petl.safetensors``.
    made : mapping of str to object, optional
        The run's ``backbone`` and ``compute_features``. Where its YAML calls
        a function that chose their class (``!apply:``), the artefact names
        the class.
    task : str
        What the artefact is for.
    decision : mapping, optional
        What it decides by.

    Returns
    -------
    str
        HyperPyYAML with a ``pretrainer`` and ``modules``.

    Raises
    ------
    ValueError
        If a key is missing, or an argument holds an absolute path.
    """
    run = YAML().load(run_yaml)
    for key in ("encoder", "compute_features", "classifier"):
        if key not in run:
            raise ValueError(
                f"The run's YAML has no '{key}', which inference needs: name "
                "the recipe's keys as recipes/ESC50 does."
            )
    backbone = _top_level(run, run["encoder"].get("backbone"), "backbone")
    made = made or {}
    for key, what in ((backbone, "backbone"), ("compute_features",) * 2):
        if run[key].tag.value.startswith("!apply:"):
            run[key] = _name_class(run, key, made[what])
    keys = _closure(run, ["encoder", "compute_features"])
    names = {id(run[key]): key for key in keys}
    run[backbone]["source"] = None  # written anew below
    run[backbone].pop("attn_implementation", None)  # says how, not what
    kept = CommentedMap({"source": source, "revision": revision})
    for key in keys:
        others = {i: name for i, name in names.items() if name != key}
        kept[key] = _copy(run[key], others, key)
    locate = CommentedSeq([RefTag("<source>")])
    locate.yaml_set_ctag(_tag(LOCATE))
    kept[backbone]["source"] = locate
    kept[backbone]["revision"] = RefTag("<revision>")
    kept["classifier"] = _make(run["classifier"], sizes)
    text = io.StringIO()
    dump_hyperpyyaml(kept, text)
    last = tail(backbone, sample_rate, tensors, task, decision)
    return HEADER + text.getvalue() + last


def _top_level(run, node, what):
    """Returns the name of the top-level key whose object ``node`` is."""
    for key, value in run.items():
        if value is node and isinstance(node, CommentedMap):
            return key
    raise ValueError(
        f"The encoder's '{what}' should be a reference to a top-level key of "
        "the YAML, such as '!ref <backbone>'."
    )


def _closure(run, keys):
    """Returns keys and those of all objects inside, in the file's order."""
    objects = {
        id(value): key
        for key, value in run.items()
        if isinstance(value, (CommentedMap, CommentedSeq))
    }
    found, stack = set(keys), [run[key] for key in keys]
    while stack:
        node = stack.pop()
        if not isinstance(node, (CommentedMap, CommentedSeq)):
            continue
        found.add(objects.get(id(node)))
        stack += node.values() if isinstance(node, CommentedMap) else node
    return [key for key in run if key in found]


def _copy(node, names, where):
    """Copies a node without comments; named objects become references."""
    if id(node) in names:
        return RefTag(f"<{names[id(node)]}>")
    new: Any
    if isinstance(node, CommentedMap):
        new = CommentedMap(
            {k: _copy(v, names, f"{where}.{k}") for k, v in node.items()}
        )
    elif isinstance(node, CommentedSeq):
        new = CommentedSeq(
            [_copy(v, names, f"{where}[{i}]") for i, v in enumerate(node)]
        )
    elif isinstance(node, TaggedScalar):
        new = TaggedScalar(node.value, style=node.style)
    elif isinstance(node, str) and os.path.isabs(node):
        raise ValueError(
            f"'{where}' is the path '{node}' of this machine, which an "
            "artefact cannot contain: give the method values, not files."
        )
    else:
        return node
    if node.tag.value:
        new.yaml_set_ctag(_tag(node.tag.value))
    return new


def _name_class(run, key, made):
    """Turns a node that chose a class into one that names it.

    Every reference to the node follows it.
    """
    old, options = run[key], made.options()
    new = CommentedMap(options)
    kind = type(made)
    new.yaml_set_ctag(_tag(f"!new:{kind.__module__}.{kind.__qualname__}"))
    stack: list[Any] = [run]
    while stack:
        node = stack.pop()
        pairs = (
            node.items() if isinstance(node, CommentedMap) else enumerate(node)
        )
        for name, value in list(pairs):
            if value is old:
                node[name] = new
            elif isinstance(value, (CommentedMap, CommentedSeq)):
                stack.append(value)
    return new


def _make(node, sizes):
    """Turns ``!name:Cls``, to be called with sizes, into ``!new:Cls``."""
    path = node.tag.value.removeprefix("!name:")
    module, _, name = path.rpartition(".")
    cls = getattr(importlib.import_module(module), name)
    first = list(inspect.signature(cls).parameters)[: len(sizes)]
    options = dict(node) if isinstance(node, CommentedMap) else {}
    new = CommentedMap({**dict(zip(first, sizes)), **options})
    new.yaml_set_ctag(_tag(f"!new:{path}"))
    return new


def _tag(text):
    """ruamel's form of a tag."""
    return Tag(suffix=text)
