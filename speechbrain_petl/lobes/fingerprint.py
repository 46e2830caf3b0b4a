"""Which backbone this is, told by what it computes."""

import hashlib
import json

from speechbrain_petl.lobes.backbone import Backbone


def fingerprint(backbone: Backbone) -> str:
    """Identifies a backbone by what it computes, not by where it comes from.

    The SHA-256 of the configuration's fields that matter and of all tensors in
    float32 by role (``Backbone.identity``); not of those that follow the clip
    length. A copy of a hub's model, in half precision or not, in one file or
    several, and after a renaming in transformers has the same fingerprint.

    Arguments
    ---------
    backbone : Backbone
        As loaded, on any device.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    fields, tensors = backbone.identity()
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().float().contiguous()
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().data)
    return digest.hexdigest()
