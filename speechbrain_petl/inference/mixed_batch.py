"""One batch for several tasks: each clip by its own."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from speechbrain_petl.artefacts.load import Trained


class Prediction(NamedTuple):
    """What one task says about one clip."""

    task: str
    posteriors: torch.Tensor  # log posteriors [classes of the task]
    score: torch.Tensor  # the best one's
    index: torch.Tensor
    label: str


def classify(
    models: Mapping[str, Trained],
    wavs: torch.Tensor,
    wav_lens: torch.Tensor,
    names: Sequence[str],
) -> list[Prediction]:
    """Runs each task on its clips, the front end once for those alike.

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
    rows = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    front_ends = {}
    for name in rows:
        front_ends.setdefault(models[name].compute_features, []).append(name)
    found = [None] * len(wavs)
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
    return found


def alike(front_end: torch.nn.Module, other: torch.nn.Module) -> bool:
    """Whether two front ends are of one class and have the same options.

    Example
    -------
    >>> from speechbrain_petl.lobes.features import ASTFbank
    >>> alike(ASTFbank(100), ASTFbank(100)), alike(ASTFbank(100), ASTFbank(99))
    (True, False)
    """
    options = [
        {k: v for k, v in vars(one).items() if not k.startswith("_")}
        for one in (front_end, other)
    ]
    return type(front_end) is type(other) and options[0] == options[1]


def decide(
    task: str, posteriors: torch.Tensor, labels: Sequence[str]
) -> Prediction:
    """The best class for log posteriors [classes]."""
    score, index = posteriors.max(dim=-1)
    return Prediction(task, posteriors, score, index, labels[int(index)])
