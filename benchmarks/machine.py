"""What was measured on: the machine, and versions of the peers."""

import platform
import subprocess
from pathlib import Path

import torch


def machine(device: str, threads: int) -> str:
    """Describes the machine."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name()
    name = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            name = line.partition(":")[2].strip()
            break
    units = [
        unit.upper().replace("_", "-")
        for unit in ("amx_bf16", "avx512_bf16", "avx512f")
        if unit in Path("/proc/cpuinfo").read_text()
    ]
    return f"{name}, {threads} threads, {', '.join(units) or 'no AVX-512'}"


def peer_versions(options) -> dict[str, str]:
    """Returns the versions of PEFT, the reference and its transformers."""
    import peft

    found = {"peft": peft.__version__}
    if options.reference:
        command = ["git", "-C", options.reference, "rev-parse", "--short=7"]
        found["PETL_AST"] = output_of([*command, "HEAD"])
        code = "import transformers; print(transformers.__version__)"
        command = [options.reference_python, "-c", code]
        found["its transformers"] = output_of(command)
    return found


def output_of(command: list[str]) -> str:
    """Returns the output of a command, or ``unknown``."""
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"
