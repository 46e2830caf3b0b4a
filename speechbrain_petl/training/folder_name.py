"""Default names of run folders, which tell runs apart."""

import hashlib
import os
import re
from collections.abc import Mapping

from hyperpyyaml import resolve_references
from speechbrain_petl.utils.plain_yaml import one_value, plain_values
from speechbrain_petl.utils.settings import NEUTRAL

LONGEST = 200  # bytes of a folder's name


def name_apart(
    text: str, overrides: Mapping[str, str], shaping: Mapping, processes: int
) -> dict[str, str]:
    """Returns a default folder of its own for a run with overrides.

    What is overridden is added to the folder's name, unless the YAML's
    ``output_folder`` names it already or the command line gives one.

    Arguments
    ---------
    text : str
        The YAML.
    overrides : dict of str to str
        Keys of the YAML, and YAML of their values.
    shaping : dict
        SpeechBrain's options that change what is computed.
    processes : int
        How many share the training.

    Returns
    -------
    dict of str to str
        The overrides, with ``output_folder``.

    Raises
    ------
    ValueError
        If the YAML has no ``output_folder``.

    Example
    -------
    >>> text = "lr: 0.1\\nseed: 1\\noutput_folder: !ref results/seed_<seed>\\n"
    >>> name_apart(text, {"seed": "2", "lr": "0.2"}, {"debug": True}, 1)
    {'seed': '2', 'lr': '0.2', 'output_folder': 'results/seed_2-lr_0.2-debug'}
    """
    if "output_folder" in overrides:
        return dict(overrides)
    template = re.search(r"^output_folder: (.*)$", text, re.M)
    if template is None:
        raise ValueError("The YAML has no output_folder: give one.")
    defaults, values = plain_values(text, {}), plain_values(text, overrides)
    told = NEUTRAL - {"source", "revision"}
    parts = [
        _part(key, values[key])
        for key in defaults
        if values[key] != defaults[key]
        and key not in told
        and f"<{key}>" not in template[1]
    ]
    parts += [_part(key, value) for key, value in shaping.items()]
    parts += [f"processes_{processes}"] if processes > 1 else []
    changes = "\n".join(f"{key}: {value}" for key, value in overrides.items())
    resolved = resolve_references(text, changes)
    folder = plain_values(resolved.getvalue(), {})["output_folder"]
    parent, name = os.path.split("-".join([folder, *parts]))
    if len(name.encode()) > LONGEST:
        whole = hashlib.sha256(name.encode()).hexdigest()[:16]
        name = name.encode()[:LONGEST].decode(errors="ignore") + f"-{whole}"
    return {**overrides, "output_folder": one_value(os.path.join(parent, name))}


def _part(key, value):
    """Returns the part of a folder's name that a setting makes."""
    if value is True:
        return key
    if isinstance(value, (list, tuple)):
        value = "+".join(map(str, value))
    elif os.sep in str(value):
        value = os.path.basename(str(value).rstrip(os.sep))
    return re.sub(r"[^\w.+-]+", "_", f"{key}_{value}")
