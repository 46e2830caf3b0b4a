"""SplitEncoder: a model whose frozen part runs once a clip.

In the order of execution, everything before the first trained tensor computes
the same for a clip at each epoch, fold, seed and method. That place is the
*cut* (see ``speechbrain_petl.lobes.cut``), and the model finds it itself. With
the states there stored, losses, gradients and updates are those of the whole
model, but for rounding.
"""

import torch
from speechbrain_petl.lobes.cut import find_cut
from speechbrain_petl.lobes.petl import PETLModel
from torch import nn


class SplitEncoder(nn.Module):
    """A model in two parts, of which the frozen one may run beforehand.

    ``frozen`` computes the states of clips, ``finish`` turns states into
    embeddings. Both together are the model. ``forward`` calls the model, or
    with ``stored=True`` the second part only.

    Arguments
    ---------
    encoder : PETLModel
        Model to split.

    Raises
    ------
    ValueError
        If something in front of the second layer trains, naming it.

    Example
    -------
    >>> from transformers import ASTConfig, ASTModel
    >>> from speechbrain_petl.lobes.ast import AST
    >>> folder = getfixture("tmpdir").join("ast")
    >>> config = ASTConfig(hidden_size=48, num_hidden_layers=1, max_length=64)
    >>> ASTModel(config).save_pretrained(folder)
    >>> model = PETLModel(AST(str(folder)), unfrozen=["norm_final"])
    >>> split, feats = SplitEncoder(model), torch.rand(2, 64, 128)
    >>> states = split.frozen(feats)
    >>> states.shape, states.requires_grad
    (torch.Size([2, 48]), False)
    >>> torch.allclose(split(states, stored=True), model(feats), atol=1e-5)
    True
    """

    def __init__(self, encoder: PETLModel):
        super().__init__()
        self.encoder = encoder
        self.cut = find_cut(encoder)

    @torch.no_grad()
    def frozen(
        self, inputs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes states [B, ...].

        Arguments
        ---------
        inputs : torch.Tensor
            Output [B, ...] of the front end.
        lens : torch.Tensor, optional
            Relative lengths [B]; all are whole by default.
        """
        return self.cut.frozen(inputs, lens)

    def finish(self, states: torch.Tensor) -> torch.Tensor:
        """Computes embeddings [B, embedding_size] of states [B, ...]."""
        return self.cut.finish(states.float())

    def forward(
        self,
        inputs: torch.Tensor,
        lens: torch.Tensor | None = None,
        stored: bool = False,
    ) -> torch.Tensor:
        """Computes embeddings [B, embedding_size].

        Arguments
        ---------
        inputs : torch.Tensor
            Output [B, ...] of the front end, or states [B, ...].
        lens : torch.Tensor, optional
            Relative lengths [B]; all are whole by default.
        stored : bool
            If True, the inputs are states that ``frozen`` computed.
        """
        return self.finish(inputs) if stored else self.encoder(inputs, lens)

    def count_parameters(self) -> dict[str, int]:
        """Counts what trains in the model, as ``PETLModel``."""
        return self.encoder.count_parameters()
