"""Which floating-point precision a device trains best in."""

import torch


def best_precision(device: str | torch.device) -> str:
    """Says ``bf16`` for a device that has it in hardware, else ``fp32``.

    bfloat16 autocast keeps weights, LayerNorm and softmax in float32. A CPU
    needs matrix units for it (AMX); on others it is emulated, and slower than
    float32.

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
        native = torch.cpu._is_amx_tile_supported()
    elif kind == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = False
    return "bf16" if native else "fp32"
