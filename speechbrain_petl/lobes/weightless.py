"""Backbones of the right shape and without memory, to count what they cost."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, PretrainedConfig

#: Checkpoints whose sizes are the defaults of transformers, so that a machine
#: that does not have them knows their sizes all the same.
DEFAULT_SIZES = {
    "MIT/ast-finetuned-audioset-10-10-0.4593": "audio-spectrogram-transformer",
    "facebook/wav2vec2-base": "wav2vec2",
}
_ACTIVE: ContextVar[bool] = ContextVar("weightless", default=False)


@contextmanager
def weightless() -> Iterator[None]:
    """Builds the backbones made in it from their configurations alone.

    They are on the meta device, as is all else that is made in it: no
    checkpoint is read, no memory is taken, and nothing can be computed but
    shapes and numbers of operations.

    Example
    -------
    >>> from speechbrain_petl.lobes.ast import AST
    >>> with weightless():
    ...     ast = AST("MIT/ast-finetuned-audioset-10-10-0.4593")
    >>> ast.embedding_size, next(ast.parameters()).is_meta
    (768, True)
    """
    token = _ACTIVE.set(True)
    try:
        with torch.device("meta"):
            yield
    finally:
        _ACTIVE.reset(token)


def is_weightless() -> bool:
    """Returns True inside of ``weightless``."""
    return _ACTIVE.get()


def known_config(source: str, revision: str | None) -> dict[str, Any] | None:
    """Returns a configuration that needs no network.

    Arguments
    ---------
    source : str
        Model of the Hugging Face hub, or local folder.
    revision : str, optional
        Branch, tag or commit on the hub.

    Returns
    -------
    dict of str to object, or None
        That of the folder, of the hub's local cache, or of a checkpoint in
        ``DEFAULT_SIZES``; None if this machine has none of them.
    """
    try:
        found, _ = PretrainedConfig.get_config_dict(
            source, revision=revision or "main", local_files_only=True
        )
    except OSError:
        found = {}
    if "model_type" in found:
        return found
    kind = DEFAULT_SIZES.get(source)
    return None if kind is None else {"model_type": kind}


def build(config: Mapping[str, Any]) -> Any:
    """Builds a stock model from its configuration, to be called inside of
    ``weightless``.

    Arguments
    ---------
    config : mapping
        Content of its ``config.json``.

    Returns
    -------
    transformers.PreTrainedModel
        The model, in eval mode as ``from_pretrained`` leaves it.
    """
    rest = {k: v for k, v in config.items() if k not in ("model_type", "dtype")}
    settings = AutoConfig.for_model(config["model_type"], **rest)
    return AutoModel.from_config(settings, dtype=torch.float32).eval()
