"""SplitEncoder: a model whose frozen part runs once a clip.

In the order of execution, everything before the first trained tensor computes
the same for a clip at each epoch. Where that tensor is one of the final
LayerNorm's or the head's, one vector a clip is all that the rest needs. A
pooling is a mean over tokens t, and the LayerNorm's weight and bias are the
same for all of them:

    mean_t(weight * n_t + bias) = weight * mean_t(n_t) + bias

with n_t a token's state, normalized. So ``states``, the pooled n_t, are
stored, and losses, gradients and updates are those of the whole model, but
for rounding.
"""

import torch
from speechbrain_petl.lobes.petl import PETLModel
from torch import nn
from torch.func import functional_call

FINAL = ("norm_final.weight", "norm_final.bias")


class SplitEncoder(nn.Module):
    """A model in two parts, of which the frozen one may run beforehand.

    ``frozen`` computes the states of clips, ``finish`` turns states into
    embeddings. Both together are the model. ``forward`` calls the model, or
    with ``stored=True`` the second part only.

    Arguments
    ---------
    encoder : PETLModel
        Model to split.
    cache : bool
        If True, states are to be stored: nothing of the model may train but
        its final LayerNorm. If False, this is the model as it is.

    Raises
    ------
    ValueError
        If something else trains, naming it, or states are given without
        ``cache``.

    Example
    -------
    >>> from transformers import ASTConfig, ASTModel
    >>> from speechbrain_petl.lobes.ast import AST
    >>> folder = getfixture("tmpdir").join("ast")
    >>> config = ASTConfig(hidden_size=48, num_hidden_layers=1, max_length=64)
    >>> ASTModel(config).save_pretrained(folder)
    >>> model = PETLModel(AST(str(folder)), unfrozen=["norm_final"])
    >>> split, feats = SplitEncoder(model, cache=True), torch.rand(2, 64, 128)
    >>> states = split.frozen(feats)
    >>> states.shape, states.requires_grad
    (torch.Size([2, 48]), False)
    >>> torch.allclose(split(states, stored=True), model(feats), atol=1e-5)
    True
    """

    def __init__(self, encoder: PETLModel, cache: bool = False):
        super().__init__()
        self.encoder = encoder
        self.cache = cache
        inside = sorted(encoder.delta().keys() - set(FINAL))
        if cache and inside:
            raise ValueError(
                "Embeddings can be computed once only where nothing but the "
                f"final LayerNorm and the head trains, but '{inside[0]}' "
                f"and {len(inside) - 1} more tensors do: "
                "set cache_embeddings to False."
            )
        tensors = encoder.named_tensors()
        paths = {id(p): path for path, p in encoder.named_parameters()}
        # A family without a final LayerNorm has none of them.
        final = [tensors[name] for name in FINAL if name in tensors]
        self._paths = [paths[id(p)] for p in final if id(p) in paths]

    @torch.no_grad()
    def frozen(
        self, inputs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes states [B, d].

        Arguments
        ---------
        inputs : torch.Tensor
            Output [B, ...] of the front end.
        lens : torch.Tensor, optional
            Relative lengths [B]; all are whole by default.
        """
        stand_ins = {}
        if self._paths:
            weight, bias = map(self.encoder.get_parameter, self._paths)
            plain = (torch.ones_like(weight), torch.zeros_like(bias))
            stand_ins = dict(zip(self._paths, plain, strict=True))
        return functional_call(self.encoder, stand_ins, (inputs, lens))

    def finish(self, states: torch.Tensor) -> torch.Tensor:
        """Computes embeddings [B, d] of states [B, d]."""
        if not self.cache:
            raise ValueError(
                "Only a SplitEncoder with cache=True may be given stored "
                "states: something below the final LayerNorm may train here."
            )
        if not self._paths:
            return states
        weight, bias = map(self.encoder.get_parameter, self._paths)
        return states * weight + bias

    def forward(
        self,
        inputs: torch.Tensor,
        lens: torch.Tensor | None = None,
        stored: bool = False,
    ) -> torch.Tensor:
        """Computes embeddings [B, d].

        Arguments
        ---------
        inputs : torch.Tensor
            Output [B, ...] of the front end, or states [B, d].
        lens : torch.Tensor, optional
            Relative lengths [B]; all are whole by default.
        stored : bool
            If True, the inputs are states that ``frozen`` computed.
        """
        return self.finish(inputs) if stored else self.encoder(inputs, lens)

    def count_parameters(self) -> dict[str, int]:
        """Counts what trains in the model, as ``PETLModel``."""
        return self.encoder.count_parameters()
