"""Which backbone this is, told by what it computes."""

import hashlib
import json

from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.petl import PETLModel

# What decides, beside the weights and the clip length, what an AST computes.
CONFIG_FIELDS = (
    "model_type",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "hidden_act",
    "layer_norm_eps",
    "qkv_bias",
    "patch_size",
    "frequency_stride",
    "time_stride",
    "num_mel_bins",
)


def fingerprint(backbone: AST) -> str:
    """Identifies a backbone by what it computes, not by where it comes from.

    The SHA-256 of the configuration's fields that matter and of all tensors in
    float32 by role; not of the position embeddings, which follow the clip
    length. A copy of a hub's model, in half precision or not, in one file or
    several, and after a renaming in transformers has the same fingerprint.

    Arguments
    ---------
    backbone : AST
        As loaded, on any device.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    tensors = PETLModel(backbone).named_tensors()
    fields = {name: getattr(backbone.config, name) for name in CONFIG_FIELDS}
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
    for name in sorted(tensors):
        if not name.endswith("position_embeddings"):
            tensor = tensors[name].detach().cpu().float().contiguous()
            digest.update(f"{name}{tuple(tensor.shape)}".encode())
            digest.update(tensor.numpy().data)
    return digest.hexdigest()
