"""Transformation modules before the blocks of speaker models, on the CPU.

SpeechBrain's ECAPA-TDNN (512 channels) and ResNet embed an utterance of three
seconds, a batch of one, as they are and with G subsets of the channels, each
through a block of its own or all through one. `trained` are all parameters;
2 FLOP are a multiplication and an addition. Random weights, and eval mode.
"""

from benchmarks.measure import Contender

HERE = "benchmarks.transformation"
FAMILIES = ("ECAPA-TDNN", "ResNet")
KINDS = {
    "stock": (None, False),
    "G 2, own blocks": (2, False),
    "G 2, one block": (2, True),
    "G 4, own blocks": (4, False),
    "G 4, one block": (4, True),
}


def make_model(family, groups, shared, small=False):
    """A stock model, or a partitioned one."""
    from speechbrain_petl.lobes.transformation import partition

    from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
    from speechbrain.lobes.models.ResNet import ResNet

    if family == "ResNet":
        channels = [16, 16, 32, 32] if small else [128, 128, 256, 256]
        model = ResNet(80, channels=channels)
        blocks = [f"layer{k}" for k in (1, 2, 3, 4)]
    else:
        width = 64 if small else 512
        model = ECAPA_TDNN(
            80,
            channels=[width] * 4 + [3 * width],
            groups=[1, 1, 1, 1, groups or 1],
        )
        blocks = [f"blocks.{k}" for k in (1, 2, 3)]
    if groups is None:
        return model.eval()
    return partition(model, blocks, groups, shared).eval()


def embed(family, groups, shared, frames, small, device):
    """Embeds one utterance."""
    import torch

    model = make_model(family, groups, shared, small).to(device)
    feats = torch.rand(1, frames, 80, device=device)

    @torch.no_grad()
    def run():
        model(feats)

    return run, {
        "clips": 1,
        "trained": sum(p.numel() for p in model.parameters()),
    }


def groups(options) -> dict[str, list[Contender]]:
    """What is compared with what."""
    shared = {
        "frames": 50 if options.smoke else 300,
        "small": options.smoke,
        "device": options.device,
    }
    return {
        f"{family}, an utterance of 3 s": [
            Contender(
                name,
                f"{HERE}:embed",
                {"family": family, "groups": n, "shared": one, **shared},
            )
            for name, (n, one) in KINDS.items()
        ]
        for family in FAMILIES
    }
