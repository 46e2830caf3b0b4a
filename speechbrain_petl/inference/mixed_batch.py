"""One batch for several tasks: each clip is classified by its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from speechbrain_petl.artefacts.trained import Trained
from torch import nn


@dataclass(frozen=True)
class Prediction:
    """The output of one task for one clip.

    Arguments
    ---------
    task : str
        Name of the task.
    posteriors : torch.Tensor
        Log posteriors [classes of the task]; of a tagger, the log probability
        of each label.
    score : torch.Tensor
        That of the best class.
    index : torch.Tensor
        Index of the best class.
    label : str
        Label of the best class.
    given : list of int
        Indices of the labels that the clip is given: the best one, or by a
        tagger all that are above their thresholds, the likeliest first.
    """

    task: str
    posteriors: torch.Tensor
    score: torch.Tensor
    index: torch.Tensor
    label: str
    given: list[int]


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
            posteriors = model.decision.activation(logits.float())
            for row, one in zip(rows[name], posteriors):
                found[row] = decide(name, one, model)
    return [found[row] for row in range(len(wavs))]


def decide(task: str, posteriors: torch.Tensor, model: Trained) -> Prediction:
    """Picks the labels of a clip by log posteriors [classes]."""
    score, index = posteriors.max(dim=-1)
    label = model.labels[int(index)]
    given = model.decision.given(posteriors)
    return Prediction(task, posteriors, score, index, label, given)
