"""The settings of a run, and what differs between those of two.

Where a run lies and how it is carried out (folders, workers, loggers, how
often it is saved) is none of them.
"""

import json
import math
from collections.abc import Mapping

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from speechbrain_petl.utils.messages import name_some
from speechbrain_petl.utils.plain_yaml import plain_value

# Keys and options that change nothing that a run computes, or that the
# backbone's fingerprint and the manifests say more exactly.
NEUTRAL = frozenset(
    (
        *("data_folder", "output_folder", "download", "skip_bad_audio"),
        *("manifest_folder", "label_map"),
        *("source", "revision", "overwrite", "test_only"),
        *(
            "cache_gb",
            "states_gb",
            "num_workers",
            "device",
            "distributed_backend",
        ),
        *("find_unused_parameters", "debug_persistently", "log_config"),
        *("ckpt_interval_minutes", "ckpt_interval_steps"),
        *("use_tensorboard", "train_logger", "tensorboard_logger"),
        *("noprogressbar", "tqdm_colored_bar"),
        *("profile_training", "profile_warmup", "profile_steps"),
    )
)
MANIFEST = "_manifest"  # how the keys of manifests end
ABSENT = object()


def settings_of(text: str, overrides: Mapping[str, str]) -> dict:
    """Lists the settings of a HyperPyYAML file, one line each.

    References are kept as references, so that a value that is used in many
    places is listed once.

    Arguments
    ---------
    text : str
        The YAML.
    overrides : dict of str to str
        What replaces top-level keys, as YAML.

    Returns
    -------
    dict
        Plain values by dotted path, without the keys in ``NEUTRAL``. The
        value of a tagged node is its tag and what follows it.

    Example
    -------
    >>> text = "lr: 0.1\\nopt: !new:torch.optim.SGD\\n    lr: !ref <lr>\\n"
    >>> settings_of(text, {"lr": "1e-2"})
    {'lr': 0.01, 'opt': '!new:torch.optim.SGD', 'opt.lr': '!ref <lr>'}
    """
    found: dict = {}
    nodes = {key.value: node for key, node in YAML().compose(text).value}
    for key, value in overrides.items():
        nodes[key] = YAML().compose(value)
    for key, node in nodes.items():
        if key not in NEUTRAL and not key.endswith(MANIFEST):
            _flatten(key, node, found)
    return found


def _flatten(path, node, found):
    """Lists a node and all below it."""
    tag = node.tag if node.tag.startswith("!") else ""
    if isinstance(node, ScalarNode):
        found[path] = f"{tag} {node.value}".strip() if tag else _plain(node)
        return
    if isinstance(node, MappingNode):
        below = {f"{path}.{key.value}": value for key, value in node.value}
    else:
        below = {f"{path}[{i}]": value for i, value in enumerate(node.value)}
    nested = any(
        value.tag.startswith("!") or not isinstance(value, ScalarNode)
        for value in below.values()
    )
    if not tag and not nested and isinstance(node, SequenceNode):
        found[path] = [_plain(value) for value in node.value]
        return
    if tag or not below:
        found[path] = tag or _plain(node)
    for name, value in below.items():
        _flatten(name, value, found)


def _plain(node):
    """Returns the value of an untagged node that JSON can hold."""
    if not isinstance(node, ScalarNode):
        return [] if isinstance(node, SequenceNode) else {}
    value = node.value if node.style in ("'", '"') else plain_value(node.value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    kinds = (str, int, float, bool, type(None))
    return value if isinstance(value, kinds) else str(value)


def differences(there: Mapping, here: Mapping) -> str:
    """Names what differs, with both values, as part of a sentence.

    Arguments
    ---------
    there : dict
        What a folder's run has.
    here : dict
        What this run would have.

    Returns
    -------
    str
        Empty where nothing differs.

    Example
    -------
    >>> differences({"lr": 0.1, "shots": None}, {"lr": 0.1, "shots": 8})
    'shots is null there and 8 here'
    """
    keys = list(dict.fromkeys([*here, *there]))
    return name_some(
        [
            f"{key} is {_show(there.get(key, ABSENT))} there and "
            f"{_show(here.get(key, ABSENT))} here"
            for key in keys
            if there.get(key, ABSENT) != here.get(key, ABSENT)
        ]
    )


def _show(value):
    """Shows a value in a sentence."""
    if value is ABSENT:
        return "absent"
    if isinstance(value, dict) and "sha256" in value:
        return " ".join(
            value[:12] if key == "sha256" else f"{value} {key}"
            for key, value in value.items()
        )
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
