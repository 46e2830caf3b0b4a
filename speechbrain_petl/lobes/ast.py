"""AST: a stock Hugging Face Audio Spectrogram Transformer, ready to adapt."""

import os

import torch
from speechbrain_petl.lobes import attention
from torch import nn
from transformers import ASTModel

POSITIONS = ("resize", "zeros")
# Tokens [B, T, d]: the special ones, prompts if any, then the patches.
POOLINGS = {
    "mean": lambda tokens, special, patches: tokens,
    "cls": lambda tokens, special, patches: tokens[:, :1],
    "cls_dist": lambda tokens, special, patches: tokens[:, :2],
    "patches": lambda tokens, special, patches: tokens[:, -patches:],
    "prompts": lambda tokens, special, patches: tokens[:, special:-patches],
    "not_special": lambda tokens, special, patches: tokens[:, special:],
}


class AST(nn.Module):
    """A pretrained AST (arXiv 2104.01778), its clip length and its pooling.

    Holds a stock ``transformers.ASTModel``, never a subclass: a subclass
    loads random weights without a word since transformers 5.9. The weights
    are frozen and in float32, whatever they are stored in.

    Arguments
    ---------
    source : str
        A model of the Hugging Face hub, or a local folder in its format. For
        a folder nothing is asked of the network.
    revision : str, optional
        Branch, tag or commit on the hub.
    max_length : int, optional
        Frames (10 ms each) of a clip; the checkpoint's own by default.
    position_embeddings : str
        What happens to the grid of position embeddings if ``max_length`` is
        not the checkpoint's: ``resize`` cuts it from its middle when shorter
        and interpolates it when longer, as AST's authors do; ``zeros`` puts
        zeros in any case, as the reference code of arXiv 2312.03694 did for
        all its results.
    pooling : str
        ``mean`` of all tokens, ``cls``, or the mean of some: ``cls_dist``,
        the [CLS] and the distillation token, ``patches``, ``prompts``, or
        ``not_special``, prompts and patches.

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

    def __init__(
        self,
        source: str = "MIT/ast-finetuned-audioset-10-10-0.4593",
        revision: str | None = None,
        max_length: int | None = None,
        position_embeddings: str = "resize",
        pooling: str = "mean",
    ):
        super().__init__()
        _check("position_embeddings", position_embeddings, POSITIONS)
        _check("pooling", pooling, POOLINGS)
        self.source = str(source)
        self.revision = revision
        self.pooling = pooling
        self.model = load_ast(self.source, revision)
        fit_positions(self.model, max_length, position_embeddings)
        self.model.requires_grad_(False)
        self.eval()

    @property
    def config(self):
        """The backbone's configuration, ``max_length`` as it is used."""
        return self.model.config

    def tokens(self, feats: torch.Tensor) -> torch.Tensor:
        """The final LayerNorm's output [B, T, d] for features [B, frames, mels]."""
        want = (self.config.max_length, self.config.num_mel_bins)
        if feats.shape[1:] != want:
            raise ValueError(
                f"The features have {feats.shape[1]} frames of "
                f"{feats.shape[2]} bins, but this AST reads {want[0]} frames "
                f"of {want[1]}: give the front end and the AST the same "
                "max_length."
            )
        return self.model(feats).last_hidden_state

    def forward(self, feats: torch.Tensor, lens=None) -> torch.Tensor:
        """Pooled embeddings [B, d] of features [B, frames, mels].

        ``lens``, relative lengths, is there for SpeechBrain's interfaces: the
        AST was trained to read the padding too.
        """
        del lens
        embeddings = self.model.embeddings
        while not hasattr(embeddings, "n_special") and hasattr(
            embeddings, "target"
        ):
            embeddings = embeddings.target
        special = getattr(embeddings, "n_special", 2)
        pick = POOLINGS[self.pooling]
        picked = pick(self.tokens(feats), special, count_patches(self.config))
        if picked.shape[1] == 0:
            raise ValueError("pooling is 'prompts', but there are none.")
        return picked.mean(dim=1)


def count_patches(config) -> int:
    """Patches that an AST of this configuration cuts a clip into.

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


def load_ast(source: str, revision: str | None = None) -> ASTModel:
    """Loads a stock ``ASTModel`` in float32 with fused attention, strictly."""
    local = os.path.isdir(source)
    try:
        model, info = ASTModel.from_pretrained(
            source,
            revision=revision or "main",
            dtype=torch.float32,
            attn_implementation=attention.NAME,
            local_files_only=local,
            output_loading_info=True,
        )
    except (OSError, ValueError) as error:
        raise ValueError(
            f"No AST can be loaded from '{source}'"
            + (f" at revision '{revision}'" if revision else "")
            + ": give a model of the Hugging Face hub (reachable, or already "
            "in the local cache) or a folder with config.json and "
            f"model.safetensors. ({_first_line(error)})"
        ) from error
    lost = sorted(info["missing_keys"]) + sorted(
        str(key[0]) for key in info["mismatched_keys"]
    )
    if lost:
        raise ValueError(
            f"'{source}' is not a whole AST: {len(lost)} of its tensors are "
            f"missing or misshapen, the first '{lost[0]}'."
        )
    return model


@torch.no_grad()
def fit_positions(model: ASTModel, max_length: int | None, how: str) -> None:
    """Gives a model the positions of another clip length, in place.

    Arguments
    ---------
    model : ASTModel
        The backbone; its configuration's ``max_length`` is updated.
    max_length : int, optional
        Frames of a clip from now on; unchanged by default.
    how : str
        ``resize`` or ``zeros``, see ``AST``.
    """
    config, embeddings = model.config, model.embeddings
    if max_length is None:
        max_length = config.max_length
    if max_length < config.patch_size:
        raise ValueError(
            f"max_length is {max_length} frames, but one patch of "
            f"'{config.name_or_path}' needs {config.patch_size}."
        )
    n_freq, n_time = embeddings.get_shape(config)
    config.max_length = max_length
    _, n_new = embeddings.get_shape(config)
    old = embeddings.position_embeddings
    prefix = old.shape[1] - n_freq * n_time
    grid = old[:, prefix:].transpose(1, 2).unflatten(2, (n_freq, n_time))
    grid = resize_time(grid, n_new)
    new = torch.cat([old[:, :prefix], grid.flatten(2).transpose(1, 2)], dim=1)
    if how == "zeros":
        new = torch.zeros_like(new)
    embeddings.position_embeddings = nn.Parameter(new)


def resize_time(grid: torch.Tensor, n_time: int) -> torch.Tensor:
    """Cuts the middle of, or stretches, the last axis of a position grid.

    Arguments
    ---------
    grid : torch.Tensor
        Positions [1, d, frequency, time].
    n_time : int
        Patches along the time axis from now on.

    Returns
    -------
    torch.Tensor
        Positions [1, d, frequency, n_time].

    Example
    -------
    >>> resize_time(torch.arange(6.0).view(1, 1, 1, 6), 2).flatten().tolist()
    [2.0, 3.0]
    """
    now = grid.shape[-1]
    if n_time <= now:
        first = now // 2 - n_time // 2
        return grid[..., first : first + n_time]
    size = (grid.shape[-2], n_time)
    return nn.functional.interpolate(grid, size=size, mode="bilinear")


def _check(name, value, allowed):
    """Refuses a value that is not one of the allowed ones."""
    if value not in allowed:
        raise ValueError(
            f"{name} is one of {', '.join(allowed)}, not '{value}'."
        )


def _first_line(error):
    """The gist of a library's long message."""
    return str(error).strip().split("\n")[0]
