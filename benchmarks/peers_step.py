"""One training step beside PEFT's, Hugging Face's and the reference code's.

As in the steps of every method, ours is the recipe's model and optimizer in
the same plain loop as its peers. All have a fused AdamW.
"""

from speechbrain_petl.training.precision import best_precision

from benchmarks.measure import Contender

OURS, PEERS = "benchmarks.training_step", "benchmarks.peers"
HOULSBY = "adapter_hou_par"


def groups(options) -> dict[str, list[Contender]]:
    """Returns the contenders of each group; the reference's if it is given."""
    sizes = {
        "frames": options.frames,
        "device": options.device,
        "batch": options.batch,
    }

    def ours(yaml, precision, name="ours"):
        more = {"backbone": options.backbone, "precision": precision}
        return Contender(name, f"{OURS}:ours", sizes | more | {"yaml": yaml})

    def peer(name, make, precision):
        more = {"backbone": options.backbone, "precision": precision}
        return Contender(name, f"{PEERS}:{make}", sizes | more)

    def reference(precision):
        more = {
            "checkout": options.reference,
            "sizes": options.sizes,
            "precision": precision,
        }
        return Contender(
            f"reference, {precision}",
            "benchmarks.reference:adapter",
            sizes | more,
            options.reference_python,
        )

    fp32 = ours(HOULSBY, "fp32", "ours, fp32")
    bf16 = ours(HOULSBY, "bf16", "ours, bf16")
    found = {}
    if options.reference:
        found["Houlsby adapters"] = [reference("fp32"), fp32, bf16]
        found["Houlsby adapters in bf16"] = [reference("bf16"), bf16]
    auto = best_precision(options.device)
    found["Precision of Houlsby adapters"] = [
        fp32,
        bf16,
        ours(HOULSBY, auto, "ours, auto"),
    ]
    for precision in ("bf16", "fp32"):
        found[f"LoRA in {precision}"] = [
            peer("PEFT", "peft_lora", precision),
            ours("lora", precision),
        ]
    found["Full fine-tuning in bf16"] = [
        peer("Hugging Face", "hf_full", "bf16"),
        ours("full_ft", "bf16"),
    ]
    return found
