"""The probe: a seeded input and the logits of the trained model for it."""

import copy
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from speechbrain_petl.lobes.front_end import FrontEnd
from torch import nn

SEED = 7
SECONDS = 1.0
TOLERANCE = 1e-3  # of the largest logit, for other processors' rounding


def probe_waveform(seed: int, n_samples: int) -> torch.Tensor:
    """Draws a seeded input [1, n_samples], the same on every machine.

    Python promises that its generator never changes; torch does not.

    Example
    -------
    >>> [round(x, 4) for x in probe_waveform(7, 3)[0].tolist()]
    [-0.1762, -0.3492, 0.1509]
    """
    draw = random.Random(seed).random
    return torch.tensor([[draw() - 0.5 for _ in range(n_samples)]])


@torch.no_grad()
def probe_logits(
    probe: Mapping[str, Any],
    compute_features: nn.Module,
    encoder: nn.Module,
    classifier: nn.Module,
) -> torch.Tensor:
    """Computes the logits [classes] of the probe, on the CPU.

    The modules should be in eval mode.
    """
    device = next(encoder.parameters()).device
    wavs = probe_waveform(probe["seed"], probe["samples"]).to(device)
    lens = torch.ones(1, device=device)
    with full_precision():
        feats = compute_features(wavs, lens)
        return classifier(encoder(feats, lens))[0].cpu()


@contextmanager
def full_precision() -> Iterator[None]:
    """Switches TF32 off inside, which SpeechBrain switches on."""
    flags: list[Any] = [torch.backends.cuda.matmul, torch.backends.cudnn]
    before = [flag.allow_tf32 for flag in flags]
    try:
        for flag in flags:
            flag.allow_tf32 = False
        yield
    finally:
        for flag, value in zip(flags, before):
            flag.allow_tf32 = value


def make_probe(
    compute_features: FrontEnd, encoder: nn.Module, classifier: nn.Module
) -> dict[str, Any]:
    """Records what trained modules, on any device, give for the probe.

    Computed by copies on the CPU, since that is where artefacts are loaded.

    Returns
    -------
    dict
        Plain data for JSON.
    """
    given = (compute_features, encoder, classifier)
    front_end, *rest = (copy.deepcopy(one).cpu().eval() for one in given)
    samples = round(SECONDS * compute_features.sample_rate)
    probe = {"seed": SEED, "samples": samples, "tolerance": TOLERANCE}
    return {**probe, "logits": probe_logits(probe, front_end, *rest).tolist()}


def check_probe(
    probe: Mapping[str, Any],
    compute_features: FrontEnd,
    encoder: nn.Module,
    classifier: nn.Module,
) -> float:
    """Compares modules, on any device, with a recorded probe.

    Returns
    -------
    float
        The largest difference of a logit.

    Raises
    ------
    ValueError
        If it exceeds the tolerance.
    """
    for module in (compute_features, encoder, classifier):
        module.eval()
    expected = torch.tensor(probe["logits"])
    found = probe_logits(probe, compute_features, encoder, classifier)
    if found.shape != expected.shape:
        raise ValueError(
            f"The probe fails: this model gives {len(found)} logits, but "
            f"artefact.json has {len(expected)}."
        )
    difference = (found - expected).abs().max().item()
    largest = max(1.0, expected.abs().max().item())
    if not difference <= probe["tolerance"] * largest:  # nor if it is NaN
        raise ValueError(
            "The probe fails: for its seeded input this model's logits differ "
            f"by {difference:.3g} from those recorded at the end of the "
            "training, so it is not the model that was trained. Check the "
            "versions of torch and transformers against artefact.json, and "
            "that no file of the artefact was edited."
        )
    return difference
