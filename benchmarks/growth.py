"""How a step's time grows with what a method has of its own.

AST-base's width with 4 layers: what grows is the same in each. ``exponent``
is the slope from the row before on logarithmic axes: 1 where time grows as
fast as the number (the width, of reduction rates), 0 where it does not.
"""

from benchmarks.measure import Contender
from benchmarks.training_step import HERE

LAYERS = 4
#: Option of the YAML, the YAML, and its values.
RANGES = {
    "Reduction rate": ("reduction_rate", "adapter_hou_par", (256, 64, 16, 4)),
    "Experts": ("n_experts", "soft_moa", (1, 7, 14, 28)),
    "Experts, dense": ("n_experts", "dense_moa", (1, 7, 14)),
    "Prompts": ("n_prompts", "dpt", (10, 25, 100, 300)),
    "Frames": ("frames", "adapter_hou_par", (100, 250, 500, 1024)),
}


def groups(options) -> dict[str, list[Contender]]:
    """Returns the contenders of each group."""
    common = {
        "backbone": options.small_backbone(LAYERS),
        "batch": options.batch,
        "precision": "bf16",
        "device": options.device,
        "frames": options.frames,
    }

    def contender(option, value, yaml):
        return Contender(
            f"{option} {value}",
            f"{HERE}:ours",
            {**common, "yaml": yaml, option: value},
            size=1 / value if option == "reduction_rate" else value,
        )

    return {
        group: [contender(option, value, yaml) for value in values]
        for group, (option, yaml, values) in RANGES.items()
    }
