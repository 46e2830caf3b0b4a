"""One batch for several tasks: each clip is classified by its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from speechbrain_petl.artefacts.trained import Trained
from torch import nn


@dataclass(frozen=True)
class Prediction:
    """The output of one task for one clip."""

    task: str
    posteriors: torch.Tensor  # log posteriors [classes of the task]
    score: torch.Tensor  # log posterior of the best class
    index: torch.Tensor  # index of the best class
    label: str


def classify(
    models: Mapping[str, Trained],
    wavs: torch.Tensor,
    wav_lens: torch.Tensor,
    names: Sequence[str],
) -> list[Prediction]:
    """Runs each task on its clips, and each front end once.

    Arguments
    ---------
    models : mapping of str to Trained
        The tasks.
    wavs : torch.Tensor
        Waveforms [B, samples].
    wav_lens : torch.Tensor
        Relative lengths [B].
    names : sequence of str
        The task of each clip.

    Returns
    -------
    list of Prediction
        One for each clip.
    """
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    front_ends: dict[nn.Module, list[str]] = {}
    for name in rows:
        front_ends.setdefault(models[name].compute_features, []).append(name)
    found: dict[int, Prediction] = {}
    for front_end, members in front_ends.items():
        union = [row for name in members for row in rows[name]]
        feats = front_end(wavs[union], wav_lens[union])
        for name, part in zip(
            members, feats.split([len(rows[name]) for name in members])
        ):
            model = models[name]
            logits = model.classifier(model.encoder(part))
            posteriors = logits.float().log_softmax(dim=-1)
            for row, one in zip(rows[name], posteriors):
                found[row] = decide(name, one, model.labels)
    return [found[row] for row in range(len(wavs))]


def decide(
    task: str, posteriors: torch.Tensor, labels: Sequence[str]
) -> Prediction:
    """Picks the best class of log posteriors [classes]."""
    score, index = posteriors.max(dim=-1)
    return Prediction(task, posteriors, score, index, labels[int(index)])
