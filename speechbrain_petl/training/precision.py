"""Which floating-point precision a device trains fastest in."""

import logging
from collections.abc import Mapping
from typing import Any

import torch

from speechbrain.utils.distributed import infer_device

logger = logging.getLogger(__name__)


def settle_precision(
    values: Mapping[str, Any], device: str | None = None
) -> dict[str, str]:
    """Returns what stands for the precision ``auto``.

    Arguments
    ---------
    values : mapping of str to object
        Hyperparameters.
    device : str, optional
        Device that trains; by default what SpeechBrain would choose.

    Returns
    -------
    dict of str to str
        ``precision``, if it is ``auto`` there; else nothing.

    Example
    -------
    >>> settle_precision({"precision": "fp16"})
    {}
    >>> settle_precision({"precision": "auto"}, "mps")
    {'precision': 'fp32'}
    """
    if values.get("precision") != "auto":
        return {}
    chosen = best_precision(device or infer_device())
    logger.info(f"precision: auto is {chosen} here.")
    return {"precision": chosen}


def best_precision(device: str | torch.device) -> str:
    """Says ``bf16`` for a device that has it in hardware, else ``fp32``.

    bfloat16 autocast keeps weights, LayerNorm and softmax in float32. A CPU
    needs instructions for its products: matrix units (AMX), with which a step
    of AST-base takes 0.4 of the time in float32, or AVX512-BF16, with which
    it takes 0.5, and steps of widths from 64 to 192 take 0.6 to 0.75. On
    others bfloat16 is emulated, and slower than float32.

    Arguments
    ---------
    device : str or torch.device
        Such as ``cpu`` or ``cuda:0``.

    Returns
    -------
    str
        A value of SpeechBrain's option ``precision``.

    Example
    -------
    >>> best_precision("cpu") in ("bf16", "fp32")
    True
    """
    kind = torch.device(device).type
    if kind == "cpu":
        native = (
            torch.cpu._is_amx_tile_supported()
            or torch.cpu._is_avx512_bf16_supported()
        )
    elif kind == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = False
    return "bf16" if native else "fp32"
