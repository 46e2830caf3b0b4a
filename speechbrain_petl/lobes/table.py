"""The table of sites: where each role is in each family of backbones.

It also says what cannot be read off the modules. The only place, beside the
lobes and ``rewiring``, that names an attribute of a Hugging Face class, so
that YAML files and saved adapters outlive a renaming there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Family:
    """What is known of a family of backbones.

    Arguments
    ---------
    sites : mapping of str to str
        Path of each role in the stock model; ``*`` stands for the layer.
    norm : str
        ``before`` or ``after``: where LayerNorms stand relative to the
        sub-layers of a layer.
    n_special : int
        Number of special tokens in front of all others.
    width : str
        Field of the configuration with the size of a token's vector.
    widths : mapping of str to str
        The same, for roles that read vectors of another size. Of a list, the
        last number counts.
    rewiring : str, optional
        Module of this library whose ``rewire`` makes sites of what stock
        modules of the family hide (see ``lobes/rewiring.py``).
    """

    sites: Mapping[str, str]
    norm: str
    n_special: int
    width: str = "hidden_size"
    widths: Mapping[str, str] = field(default_factory=dict)
    rewiring: str | None = None


def _vit(tokens: str, n_special: int) -> Family:
    """Returns the row of an encoder of patches, with norms before."""
    return Family(
        sites={
            "tokens": tokens,
            "patches": "embeddings.patch_embeddings.projection",
            "layer": "layers.*",
            "mhsa": "layers.*.attention",
            "query": "layers.*.attention.q_proj",
            "key": "layers.*.attention.k_proj",
            "value": "layers.*.attention.v_proj",
            "output": "layers.*.attention.o_proj",
            "ffn": "layers.*.mlp",
            "ffn_up": "layers.*.mlp.fc1",
            "ffn_down": "layers.*.mlp.fc2",
            "norm_mhsa": "layers.*.layernorm_before",
            "norm_ffn": "layers.*.layernorm_after",
            "norm_final": "layernorm",
        },
        norm="before",
        n_special=n_special,
        widths={"ffn_down": "intermediate_size"},
    )


def _wav2vec(norm: str, rewiring: str | None = None) -> Family:
    """Returns the row of wav2vec 2.0's kin.

    ``encoder.layer_norm`` normalizes the tokens in front of the first layer
    where norms stand after the sub-layers, and the output where they stand
    before.
    """
    whole = "norm_final" if norm == "before" else "norm_tokens"
    return Family(
        sites={
            "waveform": "feature_extractor",
            "projection": "feature_projection",
            "positions": "encoder.pos_conv_embed",
            "tokens": "encoder.dropout",
            "layer": "encoder.layers.*",
            "mhsa": "encoder.layers.*.attention",
            "query": "encoder.layers.*.attention.q_proj",
            "key": "encoder.layers.*.attention.k_proj",
            "value": "encoder.layers.*.attention.v_proj",
            "output": "encoder.layers.*.attention.out_proj",
            "ffn": "encoder.layers.*.feed_forward",
            "ffn_up": "encoder.layers.*.feed_forward.intermediate_dense",
            "ffn_down": "encoder.layers.*.feed_forward.output_dense",
            "norm_mhsa": "encoder.layers.*.layer_norm",
            "norm_ffn": "encoder.layers.*.final_layer_norm",
            whole: "encoder.layer_norm",
        },
        norm=norm,
        n_special=0,
        widths={
            "waveform": "conv_dim",
            "projection": "conv_dim",
            "ffn_down": "intermediate_size",
        },
        rewiring=rewiring,
    )


# Model types of Hugging Face; with "-stable", those of ``STABLE`` in their
# form with norms before the sub-layers.
FAMILIES = {
    "audio-spectrogram-transformer": _vit("embeddings", n_special=2),
    "deit": _vit("embeddings.dropout", n_special=2),
    "vit": _vit("embeddings.dropout", n_special=1),
    "data2vec-audio": _wav2vec("after"),
    "whisper": Family(
        sites={
            "mels": "conv1",
            "frames": "conv2",
            "positions": "embed_positions",
            "tokens": "layers.0.entry",
            "layer": "layers.*",
            "mhsa": "layers.*.self_attn",
            "query": "layers.*.self_attn.q_proj",
            "key": "layers.*.self_attn.k_proj",
            "value": "layers.*.self_attn.v_proj",
            "output": "layers.*.self_attn.out_proj",
            "ffn": "layers.*.ffn",
            "ffn_up": "layers.*.ffn.fc1",
            "ffn_down": "layers.*.ffn.fc2",
            "norm_mhsa": "layers.*.self_attn_layer_norm",
            "norm_ffn": "layers.*.final_layer_norm",
            "norm_final": "layer_norm",
        },
        norm="before",
        n_special=0,
        width="d_model",
        widths={"mels": "num_mel_bins", "ffn_down": "encoder_ffn_dim"},
        rewiring="speechbrain_petl.lobes.whisper_layer",
    ),
}
#: What to do about a family that is not in the table.
ADD = (
    "add a row to FAMILIES in speechbrain_petl/lobes/table.py, from roles to "
    "paths, such as 'mhsa': 'encoder.layers.*.attention'."
)
STABLE = ("wav2vec2", "hubert", "unispeech", "unispeech-sat", "wavlm")
for _name in STABLE:
    _rewiring = "speechbrain_petl.lobes.wavlm" if _name == "wavlm" else None
    FAMILIES[_name] = _wav2vec("after", _rewiring)
    FAMILIES[f"{_name}-stable"] = _wav2vec("before", _rewiring)


def family_of(config: Any) -> Family | None:
    """Returns the row of a model's configuration, None if there is none.

    Example
    -------
    >>> from transformers import HubertConfig
    >>> family_of(HubertConfig()).norm
    'after'
    >>> family_of(HubertConfig(do_stable_layer_norm=True)).norm
    'before'
    """
    name = getattr(config, "model_type", None) or ""
    if getattr(config, "do_stable_layer_norm", False):
        name += "-stable"
    return FAMILIES.get(name)
