"""Wav2Vec2: a stock wav2vec 2.0, or a model of its kin, ready to adapt."""

from typing import Any

import torch
from speechbrain_petl.lobes.backbone import Backbone, Timeline
from speechbrain_petl.lobes.checkpoints import load_stock, read_front_end
from speechbrain_petl.lobes.clips import by_length
from speechbrain_petl.lobes.front_end import FrontEnd
from speechbrain_petl.lobes.pooling import POOLINGS, check_pooling
from speechbrain_petl.lobes.rewiring import rewire
from speechbrain_petl.lobes.sites import find_backbone
from speechbrain_petl.lobes.waveforms import Waveforms
from torch import nn
from transformers import AutoModel

HOP = 160  # samples of a frame of 10 ms


class Wav2Vec2(Backbone):
    """A pretrained wav2vec 2.0 (arXiv 2006.11477), its clip length, its pooling.

    HuBERT, WavLM, UniSpeech, UniSpeech-SAT and data2vec-audio too, with norms
    before or after the sub-layers (``do_stable_layer_norm``): the checkpoint
    says which. Holds a stock model of transformers, frozen and in float32.
    The vector that its time masking puts in is no parameter.

    No attention mask is ever used: in the base models a GroupNorm over time
    reads the padding anyway, and adapters that mix tokens would read it in
    all. With a ``max_length`` all clips are of one length (see ``Waveforms``);
    without, clips of one length run together, each without its padding.

    Arguments
    ---------
    source : str
        Model of the Hugging Face hub, or local folder in its format; the
        network is not used for a folder.
    revision : str, optional
        Branch, tag or commit on the hub.
    max_length : int, optional
        Frames (10 ms each) of a clip. By default clips may be of any length,
        and a batch of several needs their relative lengths.
    pooling : str
        ``mean`` of all tokens, or ``mean_std``, their means and standard
        deviations.
    time_masking : bool
        If True, spans of tokens are masked in training as the checkpoint's
        configuration says, where a ``PETLModel`` has the backbone in training
        mode (``frozen_in_train_mode``): so IPET's code trained.
    attn_implementation : str, optional
        As for ``AST``; not for WavLM, whose attention is its own.

    Raises
    ------
    ValueError
        If an option is unknown, the source cannot be loaded, is of another
        family or lacks weights, or a batch has the wrong number of samples.

    Example
    -------
    >>> from transformers import Wav2Vec2Config, Wav2Vec2Model
    >>> folder = getfixture("tmpdir").join("wav2vec2")
    >>> config = Wav2Vec2Config(hidden_size=48, num_hidden_layers=1)
    >>> Wav2Vec2Model(config).save_pretrained(folder)
    >>> wav2vec2 = Wav2Vec2(str(folder), max_length=50, pooling="mean_std")
    >>> wav2vec2(torch.rand(2, 8000)).shape
    torch.Size([2, 96])
    """

    IDENTITY_FIELDS = (
        "model_type",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "hidden_act",
        "layer_norm_eps",
        "do_stable_layer_norm",
        "feat_extract_norm",
        "feat_extract_activation",
        "feat_proj_layer_norm",
        "conv_dim",
        "conv_kernel",
        "conv_stride",
        "conv_bias",
        "conv_pos_kernel_size",
        "conv_pos_batch_norm",
        "num_conv_pos_embeddings",
        "num_conv_pos_embedding_groups",
        "num_buckets",
        "max_bucket_distance",
    )
    FRONT_END = Waveforms

    def __init__(
        self,
        source: str,
        revision: str | None = None,
        max_length: int | None = None,
        pooling: str = "mean",
        time_masking: bool = False,
        attn_implementation: str | None = None,
    ):
        super().__init__()
        self.source = str(source)
        self.revision = revision
        self.model = load_wav2vec2(self.source, revision, attn_implementation)
        self.configure(max_length, pooling, time_masking)
        self.model.requires_grad_(False)
        self.eval()

    def configure(  # type: ignore[override]
        self,
        max_length: int | None = None,
        pooling: str = "mean",
        time_masking: bool = False,
    ) -> None:
        """Sets clip length, pooling and time masking, as in the class."""
        self.pooling = check_pooling(pooling)
        self.config.apply_spec_augment = time_masking
        if max_length is not None and self.count_tokens(max_length * HOP) < 1:
            raise ValueError(
                f"max_length is {max_length} frames, which "
                f"'{self.source}' makes no token of: give a longer one."
            )
        self._max_length = max_length

    @property
    def embedding_size(self) -> int:
        """Size of the embeddings after pooling."""
        return POOLINGS[self.pooling][1] * self.config.hidden_size

    @property
    def max_length(self) -> int | None:  # type: ignore[override]
        """Number of frames of a clip, None for any."""
        return self._max_length

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Samples of a clip; those of a second if it may be of any length."""
        return ((self._max_length or 100) * HOP,)

    def count_tokens(self, n_samples: int) -> int:
        """Counts the tokens of a clip of so many samples."""
        kernels, strides = self.config.conv_kernel, self.config.conv_stride
        for kernel, stride in zip(kernels, strides, strict=True):
            n_samples = (n_samples - kernel) // stride + 1
        return n_samples

    def timeline(self, hop_samples: int) -> Timeline:
        """Returns where the tokens are, as the convolutions say."""
        del hop_samples  # it reads waveforms
        field, step = 1, 1
        kernels, strides = self.config.conv_kernel, self.config.conv_stride
        for kernel, stride in zip(kernels, strides, strict=True):
            field += (kernel - 1) * step
            step *= stride
        return Timeline((field - 1) / 2, step)

    def tokens(
        self, inputs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes the last layer's output.

        Arguments
        ---------
        inputs : torch.Tensor
            Waveforms [B, samples].
        lens : torch.Tensor, optional
            Relative lengths [B]. With a ``max_length`` they are ignored,
            since all of a clip is read, whatever fills it up.

        Returns
        -------
        torch.Tensor
            Tokens [B, T, d]; those behind a shorter clip's are zero.

        Raises
        ------
        ValueError
            If the waveforms are of another length than ``max_length``.
        """
        if self._max_length is not None:
            return self.whole(inputs)
        found: list[torch.Tensor] = [inputs] * len(inputs)
        for rows, clips in by_length(inputs, lens):
            for row, tokens in zip(rows, self.whole(clips), strict=True):
                found[row] = tokens
        return nn.utils.rnn.pad_sequence(found, batch_first=True)

    def forward(
        self, inputs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes embeddings [B, embedding_size]; see ``tokens``."""
        if self._max_length is not None:
            return self.pool(self.whole(inputs))
        found: list[torch.Tensor] = [inputs] * len(inputs)
        for rows, clips in by_length(inputs, lens):
            pooled = self.pool(self.whole(clips))
            for row, one in zip(rows, pooled, strict=True):
                found[row] = one
        return torch.stack(found)

    def pool(self, tokens: torch.Tensor) -> torch.Tensor:
        """Pools tokens [B, T, d] of whole clips to [B, embedding_size]."""
        return POOLINGS[self.pooling][0](tokens)

    @property
    def pools_linearly(self) -> bool:
        """True if the mean of the tokens is the embedding."""
        return self.pooling == "mean"

    def whole(self, clips: torch.Tensor) -> torch.Tensor:
        """Computes tokens [B, T, d] of clips [B, samples] of one length."""
        n_samples = clips.shape[1]
        if self._max_length not in (None, n_samples / HOP):
            raise ValueError(
                f"The waveforms have {n_samples} samples, but this backbone "
                f"reads max_length {self._max_length}, which is "
                f"{self.input_shape[0]} samples: give the front end the same."
            )
        if self.count_tokens(n_samples) < 1:
            raise ValueError(
                f"A clip of {n_samples} samples is too short for a token of "
                f"'{self.source}': leave it out or fill it up."
            )
        return self.model(clips).last_hidden_state

    def front_end(self, **options: Any) -> FrontEnd:
        """Returns ``Waveforms`` of this clip length.

        Arguments
        ---------
        **options : dict
            Options of ``Waveforms``. By default ``normalize`` is as the
            checkpoint's preprocessor says; a folder without one is taken to
            be normalized, which is the default of transformers.
        """
        if options.get("normalize") is None:
            said = read_front_end(self.source, self.revision)
            options["normalize"] = bool(said.get("do_normalize", True))
        return super().front_end(**options)

    def options(self) -> dict[str, Any]:
        """Returns clip length, pooling and time masking."""
        return {
            "max_length": self.max_length,
            "pooling": self.pooling,
            "time_masking": self.config.apply_spec_augment,
        }


def load_wav2vec2(
    source: str, revision: str | None, attn_implementation: str | None = None
) -> nn.Module:
    """Loads a stock model without time masking; see ``rewiring``."""
    vector = "masked_spec_embed"
    model = load_stock(
        AutoModel,
        source,
        revision,
        may_miss=[vector],
        attn_implementation=attn_implementation,
    )
    if not hasattr(model, "feature_extractor"):
        raise ValueError(
            f"'{source}' is a {type(model).__name__}, which reads no "
            "waveforms: load it by load_backbone, which finds its lobe."
        )
    if getattr(model, "adapter", None) is not None:
        raise ValueError(
            f"'{source}' has convolutions behind its last layer (add_adapter), "
            "which no site stands for: use the checkpoint without them."
        )
    # In training mode its input would be made to require a gradient.
    model.feature_extractor._freeze_parameters()
    if hasattr(model, vector):
        # As a parameter it would train with everything, without a gradient.
        stored = model.masked_spec_embed.detach()
        del model.masked_spec_embed
        model.register_buffer(vector, stored, persistent=False)
    rewire(find_backbone(model))
    return model
