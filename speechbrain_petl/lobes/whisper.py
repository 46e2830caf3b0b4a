"""Whisper: the encoder of a stock Whisper, ready to adapt."""

from typing import Any

import torch
from speechbrain_petl.lobes.backbone import Timeline
from speechbrain_petl.lobes.checkpoints import load_stock
from speechbrain_petl.lobes.pooling import POOLINGS, check_pooling
from speechbrain_petl.lobes.rewiring import rewire
from speechbrain_petl.lobes.sites import find_backbone
from speechbrain_petl.lobes.spectrogram import SpectrogramBackbone
from speechbrain_petl.lobes.whisper_fbank import WhisperFbank
from torch import nn
from transformers import WhisperModel


class Whisper(SpectrogramBackbone):
    """A pretrained Whisper's encoder (arXiv 2212.04356), with its pooling.

    The stock encoder reads 30 s, whatever the clip's length. Here its
    positions are cut to ``max_length``, so that a clip of 10 s costs a third.
    The weights are frozen and in float32. Padding is read, as in training.

    Arguments
    ---------
    source : str
        Model of the Hugging Face hub, or local folder in its format; the
        network is not used for a folder.
    revision : str, optional
        Branch, tag or commit on the hub.
    max_length : int, optional
        Frames (10 ms each) of a clip, an even number; the checkpoint's own
        by default.
    pooling : str
        ``mean`` of all tokens, or ``mean_std``, their means and standard
        deviations.
    attn_implementation : str, optional
        As for ``AST``.

    Raises
    ------
    ValueError
        If an option is unknown, the source cannot be loaded or lacks
        weights, or a batch has the wrong number of frames.

    Example
    -------
    >>> from transformers import WhisperConfig
    >>> folder = getfixture("tmpdir").join("whisper")
    >>> sizes = {"d_model": 48, "encoder_layers": 1, "decoder_layers": 1}
    >>> heads = {"encoder_attention_heads": 4, "decoder_attention_heads": 4}
    >>> config = WhisperConfig(**sizes, **heads, max_source_positions=50)
    >>> WhisperModel(config).save_pretrained(folder)
    >>> whisper = Whisper(str(folder), max_length=60)
    >>> whisper(torch.rand(2, 60, 80)).shape
    torch.Size([2, 48])
    """

    IDENTITY_FIELDS = (
        "model_type",
        "d_model",
        "encoder_layers",
        "encoder_attention_heads",
        "encoder_ffn_dim",
        "activation_function",
        "num_mel_bins",
        "scale_embedding",
    )
    FITTED_TENSORS = ("positions.weight",)
    FRONT_END = WhisperFbank

    def __init__(
        self,
        source: str = "openai/whisper-base",
        revision: str | None = None,
        max_length: int | None = None,
        pooling: str = "mean",
        attn_implementation: str | None = None,
    ):
        super().__init__()
        self.source = str(source)
        self.revision = revision
        whole = load_stock(
            WhisperModel,
            self.source,
            revision,
            what="Whisper",
            attn_implementation=attn_implementation,
        )
        self.model: Any = whole.encoder
        rewire(find_backbone(self.model))
        self.configure(max_length, pooling)
        self.model.requires_grad_(False)
        self.eval()

    def configure(  # type: ignore[override]
        self, max_length: int | None = None, pooling: str = "mean"
    ) -> None:
        """Sets clip length, positions and pooling, as in the class."""
        self.pooling = check_pooling(pooling)
        longest = 2 * self.config.max_source_positions
        if max_length is None:
            max_length = longest
        if max_length not in range(2, longest + 1, 2):
            raise ValueError(
                f"max_length is {max_length} frames, but '{self.source}' reads "
                f"an even number of 2 to {longest}."
            )
        positions = self.model.embed_positions.weight.detach()
        cut = positions[: max_length // 2].clone()
        self.model.embed_positions = nn.Embedding.from_pretrained(cut)
        self.config.max_source_positions = len(cut)
        self.model.max_source_positions = len(cut)

    @property
    def embedding_size(self) -> int:
        """Size of the embeddings after pooling."""
        return POOLINGS[self.pooling][1] * self.config.d_model

    @property
    def max_length(self) -> int:
        """Number of frames of a clip."""
        return 2 * self.config.max_source_positions

    def arranged(self, inputs: torch.Tensor) -> torch.Tensor:
        """Returns features [B, mels, frames]."""
        return inputs.mT

    def pool(self, tokens: torch.Tensor) -> torch.Tensor:
        """Pools tokens [B, T, d] of whole clips to [B, embedding_size]."""
        return POOLINGS[self.pooling][0](tokens)

    @property
    def pools_linearly(self) -> bool:
        """True if the mean of the tokens is the embedding."""
        return self.pooling == "mean"

    def timeline(self, hop_samples: int) -> Timeline:
        """Returns where the tokens are: two centered frames each."""
        return Timeline(0.0, 2 * hop_samples)

    def options(self) -> dict[str, Any]:
        """Returns clip length and pooling."""
        return {"max_length": self.max_length, "pooling": self.pooling}
