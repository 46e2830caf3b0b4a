"""Scores of trials, from the embeddings of utterances.

Trials are scored in blocks: memory stays bounded whatever their number.
"""

import torch
from torch.nn.functional import normalize

BLOCK = 1024  # trials that are scored at once


def cosine_scores(
    embeddings: torch.Tensor, first: torch.Tensor, second: torch.Tensor
) -> torch.Tensor:
    """Scores trials by the cosine of their embeddings.

    Arguments
    ---------
    embeddings : torch.Tensor
        One embedding an utterance [utterances, d].
    first, second : torch.Tensor
        Rows of the two utterances of each trial [trials].

    Returns
    -------
    torch.Tensor
        Scores [trials], from -1 to 1.

    Example
    -------
    >>> embeddings = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
    >>> cosine_scores(embeddings, torch.tensor([0, 0]), torch.tensor([1, 2]))
    tensor([1., 0.])
    """
    unit = normalize(embeddings, dim=1)
    scores = [
        (unit[a] * unit[b]).sum(dim=1)
        for a, b in zip(first.split(BLOCK), second.split(BLOCK), strict=True)
    ]
    return torch.cat(scores) if scores else unit.new_zeros(0)


def segment_scores(
    embeddings: torch.Tensor,
    first: torch.Tensor,
    second: torch.Tensor,
    legacy_axis: bool = False,
) -> torch.Tensor:
    """Scores trials by the distances of their utterances' segments.

    The score is minus the mean Euclidean distance over all pairs of a segment
    of one utterance and a segment of the other, of embeddings of length 1, as
    arXiv 2211.02227 has it. The distance adds 1e-6 to each difference, as
    ``torch.nn.functional.pairwise_distance`` does.

    Arguments
    ---------
    embeddings : torch.Tensor
        Embeddings of each utterance's segments [utterances, segments, d].
    first, second : torch.Tensor
        Rows of the two utterances of each trial [trials].
    legacy_axis : bool
        If True, computes distances over the other utterance's segments
        instead of the d dimensions, as the paper's code does with torch 1.10
        and newer. Its error rates are worse than what was meant.

    Returns
    -------
    torch.Tensor
        Scores [trials], from -2 to 0 as meant.

    Example
    -------
    >>> embeddings = torch.tensor([[[1.0, 0.0]], [[3.0, 0.0]], [[0.0, 1.0]]])
    >>> rows = torch.tensor([0, 0]), torch.tensor([1, 2])
    >>> segment_scores(embeddings, *rows).round(decimals=4)
    tensor([-0.0000, -1.4142])
    """
    unit = normalize(embeddings, dim=-1)
    reduced = 2 if legacy_axis else 3  # of [trials, segments, segments, d]
    scores = []
    for a, b in zip(first.split(BLOCK), second.split(BLOCK), strict=True):
        difference = unit[a][:, :, None] - unit[b][:, None] + 1e-6
        scores.append(-difference.norm(dim=reduced).mean(dim=(1, 2)))
    return torch.cat(scores) if scores else unit.new_zeros(0)
