"""AST: a stock Hugging Face Audio Spectrogram Transformer, ready to adapt."""

from operator import attrgetter
from typing import Any

import torch
from speechbrain_petl.lobes.ast_positions import fit_positions
from speechbrain_petl.lobes.backbone import Timeline
from speechbrain_petl.lobes.checkpoints import load_stock
from speechbrain_petl.lobes.features import ASTFbank
from speechbrain_petl.lobes.patchout import count_patches_left
from speechbrain_petl.lobes.sites import find_backbone
from speechbrain_petl.lobes.spectrogram import SpectrogramBackbone
from transformers import ASTModel

# Tokens [B, T, d]: the special ones, prompts if any, then the patches.
POOLINGS = {
    "mean": lambda tokens, special, patches: tokens,
    "cls": lambda tokens, special, patches: tokens[:, :1],
    "cls_dist": lambda tokens, special, patches: tokens[:, :2],
    "patches": lambda tokens, special, patches: tokens[:, -patches:],
    "prompts": lambda tokens, special, patches: tokens[:, special:-patches],
    "not_special": lambda tokens, special, patches: tokens[:, special:],
}


class AST(SpectrogramBackbone):
    """A pretrained AST (arXiv 2104.01778), its clip length and its pooling.

    Holds a stock ``transformers.ASTModel``, never a subclass: a subclass
    loads random weights without a word since transformers 5.9. The weights
    are frozen and in float32, whatever they are stored in.

    Arguments
    ---------
    source : str
        Model of the Hugging Face hub, or local folder in its format; the
        network is not used for a folder.
    revision : str, optional
        Branch, tag or commit on the hub.
    max_length : int, optional
        Frames (10 ms each) of a clip; the checkpoint's own by default.
    position_embeddings : str
        How the grid of position embeddings follows a ``max_length`` other
        than the checkpoint's: ``resize`` cuts its middle when shorter and
        interpolates it when longer, as AST's authors do; ``zeros`` puts
        zeros in any case, as the reference code of arXiv 2312.03694 did for
        all its results.
    pooling : str
        ``mean`` of all tokens, ``cls``, or the mean of some: ``cls_dist``,
        the [CLS] and the distillation token, ``patches``, ``prompts``, or
        ``not_special``, prompts and patches.
    attn_implementation : str, optional
        How attention is computed: ``batched`` (see ``lobes.attention``),
        which is the default, ``sdpa`` or ``eager``.

    Raises
    ------
    ValueError
        If an option is unknown, the source cannot be loaded or lacks
        weights, or a batch has the wrong number of frames.

    Example
    -------
    >>> from transformers import ASTConfig
    >>> folder = getfixture("tmpdir").join("ast")
    >>> config = ASTConfig(hidden_size=48, num_hidden_layers=1, max_length=64)
    >>> ASTModel(config).save_pretrained(folder)
    >>> ast = AST(str(folder), max_length=100)
    >>> ast(torch.rand(2, 100, 128)).shape
    torch.Size([2, 48])
    """

    IDENTITY_FIELDS = (
        "model_type",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "hidden_act",
        "layer_norm_eps",
        "qkv_bias",
        "patch_size",
        "frequency_stride",
        "time_stride",
        "num_mel_bins",
    )
    FITTED_TENSORS = ("position_embeddings",)
    FRONT_END = ASTFbank

    def __init__(
        self,
        source: str = "MIT/ast-finetuned-audioset-10-10-0.4593",
        revision: str | None = None,
        max_length: int | None = None,
        position_embeddings: str = "resize",
        pooling: str = "mean",
        attn_implementation: str | None = None,
    ):
        super().__init__()
        self.source = str(source)
        self.revision = revision
        self.model: ASTModel = load_stock(
            ASTModel,
            self.source,
            revision,
            what="AST",
            attn_implementation=attn_implementation,
        )
        self.configure(max_length, position_embeddings, pooling)
        self.model.requires_grad_(False)
        self.eval()

    def configure(  # type: ignore[override]
        self,
        max_length: int | None = None,
        position_embeddings: str = "resize",
        pooling: str = "mean",
    ) -> None:
        """Sets clip length, positions and pooling, as in the class."""
        if pooling not in POOLINGS:
            raise ValueError(
                f"pooling is one of {', '.join(POOLINGS)}, not '{pooling}'."
            )
        fit_positions(self.model, max_length, position_embeddings)
        self.position_embeddings = position_embeddings
        self.pooling = pooling

    @property
    def max_length(self) -> int:
        """Number of frames of a clip."""
        return self.config.max_length

    def pool(self, tokens: torch.Tensor) -> torch.Tensor:
        """Averages some of the tokens [B, T, d] to [B, d]."""
        family = find_backbone(self.model).family
        patches = count_patches_left(
            attrgetter(family.sites["tokens"])(self.model),
            count_patches(self.config),
        )
        picked = POOLINGS[self.pooling](tokens, self.n_special, patches)
        if picked.shape[1] == 0:
            raise ValueError("pooling is 'prompts', but there are none.")
        return picked.mean(dim=1)

    @property
    def pools_linearly(self) -> bool:
        """True: each pooling is an average."""
        return True

    def timeline(self, hop_samples: int) -> Timeline:
        """Returns where the columns of patches are; a frame is 25 ms."""
        middle = (self.config.patch_size - 1) / 2 * hop_samples
        step = self.config.time_stride * hop_samples
        return Timeline(middle + 1.25 * hop_samples, step)

    def in_time(
        self, inputs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes means [B, t, d] over the patches of each column."""
        n_patches = count_patches(self.config)
        patches = self.tokens(inputs, lens)[:, -n_patches:]
        frames, size = self.max_length, self.config.patch_size
        columns = (frames - size) // self.config.time_stride + 1
        return patches.unflatten(1, (-1, columns)).mean(dim=1)

    def options(self) -> dict[str, Any]:
        """Returns clip length, positions and pooling."""
        return {
            "max_length": self.max_length,
            "position_embeddings": self.position_embeddings,
            "pooling": self.pooling,
        }


def count_patches(config: Any) -> int:
    """Counts the patches of a clip in an AST of this configuration.

    Example
    -------
    >>> from transformers import ASTConfig
    >>> count_patches(ASTConfig(max_length=1024))
    1212
    """
    n_freq = (
        config.num_mel_bins - config.patch_size
    ) // config.frequency_stride
    n_time = (config.max_length - config.patch_size) // config.time_stride
    return (n_freq + 1) * (n_time + 1)
