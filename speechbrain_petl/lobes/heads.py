"""Heads other than a linear layer: from embeddings to logits."""

import torch
from torch import nn


class NormedLinear(nn.Module):
    """LayerNorm and a linear layer: the head of Hugging Face's AST.

    With ``pooling: cls_dist`` this is what ``ASTForAudioClassification``
    computes, so that a model trained with it can become one
    (``speechbrain-petl merge``). In a recipe's YAML::

        pooling: cls_dist
        classifier: !name:speechbrain_petl.lobes.heads.NormedLinear

    Arguments
    ---------
    width : int
        Size d of the embeddings.
    classes : int
        Number of classes.
    eps : float
        Epsilon of the LayerNorm; AST's by default.

    Example
    -------
    >>> NormedLinear(48, 10)(torch.rand(2, 48)).shape
    torch.Size([2, 10])
    """

    def __init__(self, width: int, classes: int, eps: float = 1e-12):
        super().__init__()
        self.layernorm = nn.LayerNorm(width, eps=eps)
        self.dense = nn.Linear(width, classes)

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Computes logits [B, classes] of embeddings [B, d]."""
        return self.dense(self.layernorm(embeddings))
