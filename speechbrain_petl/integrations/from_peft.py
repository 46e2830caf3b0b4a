"""LoRA from the file format of Hugging Face's ``peft`` library.

Its files name modules as transformers does; ours name roles. Files with the
names of transformers before 5.9 are read as well, which ``peft`` itself no
longer does.
"""

import functools
import json
import os
import re
from pathlib import Path

from safetensors.torch import load_file
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.sites import find_sites

# As transformers named a layer's modules before 5.9; ours to look up a site.
OLD_NAMES = {
    "attention.attention.query": "query",
    "attention.attention.key": "key",
    "attention.attention.value": "value",
    "attention.output.dense": "output",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "layernorm_before": "norm_mhsa",
    "layernorm_after": "norm_ffn",
}
OLD_LAYER = re.compile(r"encoder\.layer\.(\d+)\.(.+)")
PREFIX = re.compile(
    r"^(base_model\.model\.)?(audio_spectrogram_transformer\.)?"
)
PARTS = {"lora_A": "down", "lora_B": "up"}
# Keys of a configuration that leave plain LoRA what it is; others have to be
# at nothing.
PLAIN = {
    "auto_mapping",
    "base_model_name_or_path",
    "exclude_modules",
    "inference_mode",
    "init_lora_weights",
    "layers_pattern",
    "layers_to_transform",
    "lora_alpha",
    "lora_dropout",
    "megatron_core",
    "modules_to_save",
    "peft_type",
    "peft_version",
    "qalora_group_size",
    "r",
    "revision",
    "target_modules",
    "task_type",
    "use_rslora",
}
PLAIN_STARTS = (True, False, None, "gaussian")


def from_peft(folder: str | os.PathLike, backbone: AST) -> PETLModel:
    """Makes an adapted model from PEFT's files.

    Arguments
    ---------
    folder : str or path-like
        With ``adapter_config.json`` and ``adapter_model.safetensors``.
    backbone : AST
        What it was trained on.

    Returns
    -------
    PETLModel
        With a ``LoRA`` at each site, filled; what is not of the backbone, such
        as a classifier, is left out.

    Raises
    ------
    ValueError
        If it is not plain LoRA, or names a module that AST has not.
    """
    folder = Path(folder)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        if not (folder / name).is_file():
            raise ValueError(f"'{folder}' holds no PEFT adapter: no {name}.")
    config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    odd = [
        f"{key} {value}"
        for key, value in config.items()
        if (value and key not in PLAIN and (key, value) != ("bias", "none"))
        or (key == "peft_type" and value != "LORA")
        or (key == "init_lora_weights" and value not in PLAIN_STARTS)
    ]
    if odd:
        raise ValueError(
            f"'{folder}' is not plain LoRA ({', '.join(odd)}): load it with "
            "the peft library."
        )
    keys = {site.path: site.key for site in find_sites(backbone.model)}
    delta = {}
    for name, tensor in load_file(folder / "adapter_model.safetensors").items():
        if PREFIX.sub("", name).startswith("classifier."):
            continue
        found = _our_name(PREFIX.sub("", name), keys)
        if found is None:
            raise ValueError(
                f"'{folder}' has '{name}', which is no module of this AST."
            )
        delta[found] = tensor
    rank = config["r"]
    root = rank**0.5 if config.get("use_rslora") else rank
    lora = functools.partial(
        LoRA, rank=rank, alpha=config["lora_alpha"] / root * rank
    )
    sites = [n.removesuffix(".down.weight") for n in delta if ".down." in n]
    whole = [n for n in delta if not n.endswith((".down.weight", ".up.weight"))]
    model = PETLModel(
        backbone,
        {"{}[{}]".format(*site.split(".")): lora for site in sorted(sites)},
        unfrozen=sorted(whole),
    )
    model.load_delta(delta)
    return model


def _our_name(name, keys):
    """A tensor of PEFT's file by role: ``query.3.down.weight``."""
    path, _, part = name.rpartition(".")
    path, _, letter = (
        path.rpartition(".") if "lora_" in path else (path, "", "")
    )
    key = keys.get(path)
    old = OLD_LAYER.fullmatch(path)
    if old and old[2] in OLD_NAMES:
        key = f"{OLD_NAMES[old[2]]}.{old[1]}"
    if key is None or (letter and letter not in PARTS):
        return None
    return f"{key}.{PARTS[letter]}.{part}" if letter else f"{key}.{part}"
