"""Stock models of transformers, loaded strictly."""

import os
from collections.abc import Collection
from typing import Any

import torch
from speechbrain_petl.lobes import attention
from speechbrain_petl.lobes.weightless import build, is_weightless, known_config
from speechbrain_petl.utils.messages import first_line
from torch import nn
from transformers import FeatureExtractionMixin, PretrainedConfig

#: What ``attn_implementation`` may be, the default first.
ATTENTION = (attention.NAME, "sdpa", "eager")


def load_stock(
    kind: Any,
    source: str,
    revision: str | None = None,
    what: str = "model",
    may_miss: Collection[str] = (),
    attn_implementation: str | None = None,
    **options: Any,
) -> Any:
    """Loads a stock model in float32, strictly.

    Inside of ``weightless`` it is built from its configuration alone.

    Arguments
    ---------
    kind : type
        Class of transformers with ``from_pretrained``.
    source : str
        Model of the Hugging Face hub, or local folder; the network is not
        used for a folder.
    revision : str, optional
        Branch, tag or commit on the hub.
    what : str
        What it is, for messages.
    may_miss : collection of str
        Names of tensors that a checkpoint may lack; they are zero then.
    attn_implementation : str, optional
        How attention is computed, one of ``ATTENTION``; by default as is
        fastest.
    **options : dict
        Further arguments of ``from_pretrained``.

    Returns
    -------
    transformers.PreTrainedModel
        The model.

    Raises
    ------
    ValueError
        If nothing can be loaded, tensors are missing or misshapen, or the
        implementation of attention is unknown or not the model's.

    Example
    -------
    >>> from transformers import ASTModel
    >>> load_stock(ASTModel, "no/where", what="AST")
    Traceback (most recent call last):
    ...
    ValueError: No AST can be loaded from 'no/where': give a model of the ...
    """
    if attn_implementation not in (None, *ATTENTION):
        raise ValueError(
            f"attn_implementation is one of {', '.join(ATTENTION)}, not "
            f"'{attn_implementation}'."
        )
    if is_weightless():
        model = build(read_config(source, revision))
        info: dict[str, Any] = {"missing_keys": set(), "mismatched_keys": []}
    else:
        try:
            model, info = kind.from_pretrained(
                source,
                revision=revision or "main",
                dtype=torch.float32,
                local_files_only=os.path.isdir(source),
                output_loading_info=True,
                **options,
            )
        except (OSError, ValueError) as error:
            raise _not_loaded(what, source, revision, error) from error
    has_own = model.config._attn_implementation != "sdpa"  # WavLM
    if not has_own:
        model.set_attn_implementation(attn_implementation or attention.NAME)
    elif attn_implementation is not None:
        raise ValueError(
            f"'{source}' has an attention of its own: leave "
            f"attn_implementation: {attn_implementation} out."
        )
    for name in info["missing_keys"] & set(may_miss):
        nn.init.zeros_(model.get_parameter(name))
    lost = sorted(set(info["missing_keys"]) - set(may_miss)) + sorted(
        str(key[0]) for key in info["mismatched_keys"]
    )
    if lost:
        raise ValueError(
            f"'{source}' is not a whole {what}: {len(lost)} of its tensors are "
            f"missing or misshapen, the first '{lost[0]}'."
        )
    return model


def read_config(source: str, revision: str | None = None) -> dict[str, Any]:
    """Returns a checkpoint's configuration as plain data.

    Raises
    ------
    ValueError
        If there is none.
    """
    if is_weightless():
        known = known_config(source, revision)
        if known is not None:
            return known
    try:
        config, _ = PretrainedConfig.get_config_dict(
            source,
            revision=revision or "main",
            local_files_only=os.path.isdir(source),
        )
    except (OSError, ValueError) as error:
        raise _not_loaded("backbone", source, revision, error) from error
    if "model_type" not in config:  # transformers reads a folder without one
        missing = OSError("There is no config.json that names a model_type.")
        raise _not_loaded("backbone", source, revision, missing)
    return config


def _not_loaded(
    what: str, source: str, revision: str | None, error: Exception
) -> ValueError:
    """Returns the error of a source that is no model."""
    return ValueError(
        f"No {what} can be loaded from '{source}'"
        + (f" at revision '{revision}'" if revision else "")
        + ": give a model of the Hugging Face hub (reachable, or already "
        "in the local cache) or a folder with config.json and "
        f"model.safetensors. ({first_line(error)})"
    )


def read_front_end(source: str, revision: str | None = None) -> dict[str, Any]:
    """Returns what a checkpoint says of its front end, as plain data.

    Returns
    -------
    dict of str to object
        Contents of its ``preprocessor_config.json``; empty for a folder
        without one.

    Raises
    ------
    ValueError
        If a hub's model has none that can be read.
    """
    if is_weightless():  # how values are scaled changes no shape
        return {}
    local = os.path.isdir(source)
    try:
        said, _ = FeatureExtractionMixin.get_feature_extractor_dict(
            source, revision=revision or "main", local_files_only=local
        )
    except (OSError, ValueError) as error:
        if local and not os.path.exists(f"{source}/preprocessor_config.json"):
            return {}
        raise ValueError(
            f"'{source}' does not say how its input is prepared: give the "
            f"front end's 'normalize'. ({first_line(error)})"
        ) from error
    return said
