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
    xavier : bool
        If True, the linear layer starts as in IPET's code (arXiv 2211.02227):
        its weight uniform (Xavier), its bias 1e-4. By default as PyTorch's.

    Example
    -------
    >>> NormedLinear(48, 10)(torch.rand(2, 48)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        width: int,
        classes: int,
        eps: float = 1e-12,
        xavier: bool = False,
    ):
        super().__init__()
        self.layernorm = nn.LayerNorm(width, eps=eps)
        self.dense = nn.Linear(width, classes)
        if xavier:
            nn.init.xavier_uniform_(self.dense.weight)
            nn.init.constant_(self.dense.bias, 1e-4)

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Computes logits [B, classes] of embeddings [B, d]."""
        return self.dense(self.layernorm(embeddings))


class EmbeddingHead(nn.Module):
    """Embeddings to compare, and classes that are told by them in training.

    As in IPET's speaker verification (arXiv 2211.02227): a linear layer to
    the embedding, which trials compare, then LayerNorm and a linear layer to
    the training speakers. In a recipe's YAML::

        classifier: !name:speechbrain_petl.lobes.heads.EmbeddingHead
            embedding_size: 128

    Arguments
    ---------
    width : int
        Size d of what the encoder gives.
    classes : int
        Number of classes; with 0 the head ends at the embedding, as in an
        artefact.
    embedding_size : int, optional
        Size of the embeddings; None if they are what the encoder gives.
    cosine : bool
        If True, the outputs are cosines with a vector of each class, as
        SpeechBrain's ``AdditiveAngularMargin`` needs.

    Example
    -------
    >>> head = EmbeddingHead(48, 10, embedding_size=16)
    >>> pooled = torch.rand(2, 48)
    >>> head(pooled).shape, head.embed(pooled).shape
    (torch.Size([2, 10]), torch.Size([2, 16]))
    >>> torch.equal(head.without_classes()(pooled), head.embed(pooled))
    True
    """

    def __init__(
        self,
        width: int,
        classes: int,
        embedding_size: int | None = 128,
        cosine: bool = False,
    ):
        super().__init__()
        self.embed: nn.Module = nn.Identity()
        self.width = width
        self.embedding_size = embedding_size
        if embedding_size is not None:
            self.embed = nn.Linear(width, embedding_size)
        size = embedding_size or width
        self.cosine = cosine
        self.classes = classes
        if classes:
            self.layernorm = nn.LayerNorm(size)
            self.dense = nn.Linear(size, classes, bias=not cosine)

    def forward(self, pooled: torch.Tensor) -> torch.Tensor:
        """Computes logits [B, classes], or cosines, of vectors [B, d]."""
        embeddings = self.embed(pooled)
        if not self.classes:
            return embeddings
        normed = self.layernorm(embeddings)
        if not self.cosine:
            return self.dense(normed)
        weight = nn.functional.normalize(self.dense.weight)
        return nn.functional.linear(nn.functional.normalize(normed), weight)

    def without_classes(self) -> "EmbeddingHead":
        """Returns a head that ends at the embedding, and shares its layer."""
        head = EmbeddingHead(self.width, 0, self.embedding_size, self.cosine)
        head.embed = self.embed
        return head
