"""Tags that are likely wrong: given ones that are not heard, and missing ones.

Confident learning (Northcutt et al., JAIR 2021), of each tag as a yes or no.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from speechbrain_petl.adapt.insights import held_out
from speechbrain_petl.lobes.losses import bce


class TagDoubt(NamedTuple):
    """A tag that a clip has or lacks, against what other clips say.

    Arguments
    ---------
    clip, tag : int
        Numbers of the clip and of the tag.
    has : bool
        Whether the clip has the tag.
    p_other : float
        Probability that it is the other way.
    """

    clip: int
    tag: int
    has: bool
    p_other: float


def doubtful_tags(
    x: torch.Tensor,
    y: torch.Tensor,
    groups: Sequence[str],
    decay: float,
    seed: int = 0,
) -> list[TagDoubt]:
    """Finds tags that are likely wrong, by confident learning.

    Each clip is judged by a probe that was trained without it and its group.
    A tag is doubtful where the other answer is likelier than one half, and
    than that answer is on average for the clips that have it.

    Arguments
    ---------
    x : torch.Tensor
        Embeddings [N, d].
    y : torch.Tensor
        Zeros and ones [N, tags].
    groups : sequence of str
        The group of each clip.
    decay : float
        Strength of the probe's penalty.
    seed : int
        Seed of the folds.

    Returns
    -------
    list of TagDoubt
        The most doubtful first.
    """
    logits = held_out(x, y, groups, y.shape[1], decay, bce, seed)
    if logits is None:
        return []
    yes, has = logits.double().sigmoid(), y != 0
    found = []
    for tag in range(y.shape[1]):
        p, mine = yes[:, tag], has[:, tag]
        if mine.all() or not mine.any():
            continue
        usual_yes, usual_no = p[mine].mean(), (1 - p[~mine]).mean()
        other = torch.where(mine, 1 - p, p)
        usual = torch.where(mine, usual_no, usual_yes)
        wrong = (other > 0.5) & (other >= usual)
        found += [
            TagDoubt(i, tag, bool(mine[i]), float(other[i]))
            for i in wrong.nonzero().flatten().tolist()
        ]
    return sorted(found, key=lambda doubt: -doubt.p_other)
