#!/usr/bin/env python3
"""Tries every method on every family of backbones, for docs/BACKBONES.md.

> python tools/backbone_matrix.py

The models are tiny and random. A test tries each cell, too, more thoroughly,
and compares what it finds with the page.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import torch
import transformers
from speechbrain_petl.lobes.adapters import Bottleneck, Convpass
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.lobes.conformer import Conformer
from speechbrain_petl.lobes.families import load_backbone
from speechbrain_petl.lobes.insertion import Parallel, Sequential
from speechbrain_petl.lobes.ipet import ParallelOnInput, Tap
from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.moa import DenseMoA, SoftMoA
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.prefix import Prefix, PrefixRows
from speechbrain_petl.lobes.prompts import (
    DeepPrompts,
    InputPrompt,
    PassingPrompts,
    Prompts,
)
from speechbrain_petl.lobes.rep_adapter import RepAdapter
from speechbrain_petl.lobes.scale_shift import ScaleShift
from torch import nn

PAGE = Path(__file__).resolve().parents[1] / "docs" / "BACKBONES.md"
BEGIN, END = "<!-- matrix -->\n", "<!-- end of matrix -->\n"
FRAMES = 24  # of 10 ms
SIZE = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
CONVOLUTIONS = {
    "conv_dim": [16, 16, 16],
    "conv_kernel": [10, 8, 4],
    "conv_stride": [8, 8, 4],
    "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
}
LARGE = {
    "do_stable_layer_norm": True,
    "feat_extract_norm": "layer",
    "conv_bias": True,
}
BIAS = {"num_buckets": 16, "max_bucket_distance": 20}  # WavLM's
FAR = {"num_feat_extract_layers", "num_conv_pos_embedding_groups"}
DATA2VEC = {k: v for k, v in CONVOLUTIONS.items() if k not in FAR}


class Tiny(NamedTuple):
    """A tiny random model of a family.

    Arguments
    ---------
    kind : str
        Name of its class in transformers.
    options : mapping of str to object
        Fields of its configuration.
    checkpoints : str
        Published checkpoints of its kind.
    """

    kind: str
    options: Mapping[str, Any]
    checkpoints: str


FAMILIES = {
    "AST": Tiny(
        "AST",
        {**SIZE, "max_length": FRAMES, "num_mel_bins": 32, "qkv_bias": True},
        "MIT/ast-finetuned-audioset-10-10-0.4593",
    ),
    "wav2vec 2.0": Tiny(
        "Wav2Vec2", {**SIZE, **CONVOLUTIONS}, "facebook/wav2vec2-base"
    ),
    "wav2vec 2.0, large": Tiny(
        "Wav2Vec2",
        {**SIZE, **CONVOLUTIONS, **LARGE},
        "facebook/wav2vec2-large-lv60, facebook/wav2vec2-xls-r-300m",
    ),
    "HuBERT": Tiny(
        "Hubert", {**SIZE, **CONVOLUTIONS}, "facebook/hubert-base-ls960"
    ),
    "HuBERT, large": Tiny(
        "Hubert",
        {**SIZE, **CONVOLUTIONS, **LARGE},
        "facebook/hubert-large-ll60k",
    ),
    "WavLM": Tiny(
        "WavLM",
        {**SIZE, **CONVOLUTIONS, **BIAS},
        "microsoft/wavlm-base-plus",
    ),
    "WavLM, large": Tiny(
        "WavLM",
        {**SIZE, **CONVOLUTIONS, **LARGE, **BIAS},
        "microsoft/wavlm-large",
    ),
    "UniSpeech": Tiny(
        "UniSpeech",
        {**SIZE, **CONVOLUTIONS, **LARGE},
        "microsoft/unispeech-large-1500h-cv",
    ),
    "UniSpeech-SAT": Tiny(
        "UniSpeechSat",
        {**SIZE, **CONVOLUTIONS},
        "microsoft/unispeech-sat-base-plus",
    ),
    "UniSpeech-SAT, large": Tiny(
        "UniSpeechSat",
        {**SIZE, **CONVOLUTIONS, **LARGE},
        "microsoft/unispeech-sat-large",
    ),
    "data2vec-audio": Tiny(
        "Data2VecAudio",
        {**SIZE, **DATA2VEC, "num_conv_pos_embedding_groups": 2},
        "facebook/data2vec-audio-base",
    ),
    "Whisper's encoder": Tiny(
        "Whisper",
        {
            "d_model": 24,
            "encoder_layers": 2,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 32,
            "decoder_layers": 1,
            "decoder_attention_heads": 2,
            "decoder_ffn_dim": 8,
            "max_source_positions": 50,
            "vocab_size": 60,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "decoder_start_token_id": 1,
        },
        "openai/whisper-base",
    ),
}

bottleneck = partial(Bottleneck, reduction_rate=6)
conformer = partial(Conformer, reduction_rate=6, kernel_size=3)
convpass = partial(Convpass, reduction_rate=6)
lora = partial(LoRA, rank=2)
prefix = partial(Prefix, num_tokens=4)
BOTH = ("mhsa", "ffn")
SCALED = ("query", "key", "value", "output", "ffn_up", "ffn_down")
SCALED += ("norm_mhsa", "norm_ffn")  # the final one is not in all families
# Options of PETLModel; a method's name is that of its recipes, if any.
METHODS: dict[str, dict[str, Any]] = {
    "linear": {},
    "full_ft": {"unfrozen": ["*"]},
    "full_ft, last layers": {"unfrozen": ["layer[-1:]"]},
    "bitfit": {
        "unfrozen": ["norm_*.bias", "[qkvo]*.[0-9]*.bias", "ffn_*.bias"]
    },
    "spt": {"insertions": {"tokens": partial(Prompts, n_prompts=3)}},
    "dpt": {
        "insertions": {
            "tokens": partial(Prompts, n_prompts=3),
            "layer[1:]": partial(DeepPrompts, n_prompts=3),
        }
    },
    "prefix": {
        "insertions": {
            "mhsa": partial(PrefixRows, num_tokens=4),
            "key": prefix,
            "value": prefix,
        }
    },
    "lora": {"insertions": {"query": lora, "value": lora}},
    "lora_qkvo": {
        "insertions": dict.fromkeys(("query", "key", "value", "output"), lora)
    },
    "lora, ffn": {"insertions": {"ffn_up": lora, "ffn_down": lora}},
    "ssf": {"insertions": dict.fromkeys(SCALED, ScaleShift)},
    "rep_adapter": {
        "insertions": dict.fromkeys(BOTH, partial(RepAdapter, units=4))
    },
    "adapter_hou_par": {
        "insertions": dict.fromkeys(BOTH, partial(Parallel, adapter=bottleneck))
    },
    "adapter_hou_seq": {
        "insertions": dict.fromkeys(
            BOTH, partial(Sequential, adapter=bottleneck)
        )
    },
    "convpass_hou_par": {
        "insertions": dict.fromkeys(BOTH, partial(Parallel, adapter=convpass))
    },
    "conformer_hou_par": {
        "insertions": dict.fromkeys(BOTH, partial(Parallel, adapter=conformer))
    },
    "conformer_hou_seq": {
        "insertions": dict.fromkeys(
            BOTH, partial(Sequential, adapter=conformer)
        )
    },
    "dense_moa": {
        "insertions": {
            "mhsa": partial(
                Parallel,
                adapter=partial(DenseMoA, expert=bottleneck, n_experts=2),
            )
        }
    },
    "soft_moa": {
        "insertions": {
            "ffn": partial(
                Parallel,
                adapter=partial(SoftMoA, expert=bottleneck, n_experts=2),
            )
        }
    },
    "ipet": {
        "insertions": {
            "layer": partial(PassingPrompts, n_prompts=3),
            "norm_before_ffn": Tap,
            "ffn": partial(ParallelOnInput, adapter=bottleneck, scale=0.1),
        }
    },
    "input_prompt": {
        "insertions": {
            "tokens": partial(InputPrompt, frames=FRAMES, mels=32, border=4)
        }
    },
}


def make_tiny(name: str, folder: Path) -> Backbone:
    """Makes a tiny random backbone of a family, no tensor of it trivial."""
    tiny = FAMILIES[name]
    config = getattr(transformers, f"{tiny.kind}Config")(**tiny.options)
    model = getattr(transformers, f"{tiny.kind}Model")(config)
    generator = torch.Generator().manual_seed(3)
    for key, tensor in model.state_dict().items():
        std = 0.3 if tensor.dim() > 1 else 0.1
        nn.init.normal_(tensor, std=std, generator=generator)
        if "norm" in key and key.endswith("weight"):
            tensor += 1.0
    model.save_pretrained(folder)
    return load_backbone(str(folder), max_length=FRAMES)


def try_method(backbone: Backbone, method: str) -> str:
    """Returns "yes", or the sentence that refuses a method."""
    try:
        model = PETLModel(backbone, **METHODS[method])
        inputs = torch.rand(2, *backbone.input_shape)
        output = model(inputs).sum()
        if model.delta():
            output.backward()
    except ValueError as error:
        return str(error)
    missing = [
        name
        for name, tensor in model.delta().items()
        if tensor.requires_grad and tensor.grad is None
    ]
    if missing:
        raise RuntimeError(f"{method}: '{missing[0]}' gets no gradient")
    return "yes"


def draw(tried: Mapping[str, Mapping[str, str]]) -> str:
    """Returns the matrix, and below it why a method is refused.

    Arguments
    ---------
    tried : mapping
        What ``try_method`` gave, by family and method.
    """
    families = list(tried)
    lines = ["| Method | " + " | ".join(families) + " |"]
    lines.append("|---|" + ":---:|" * len(families))
    for method in METHODS:
        cells = [
            "yes" if tried[family][method] == "yes" else "no"
            for family in families
        ]
        lines.append(f"| `{method}` | " + " | ".join(cells) + " |")
    why: dict[tuple[str, str], list[str]] = {}
    for family in families:
        for method, found in tried[family].items():
            if found != "yes":
                why.setdefault((method, found), []).append(family)
    for (method, found), members in why.items():
        lines.append(f"\n- `{method}` on {', '.join(members)}: {found}")
    return "\n".join(lines) + "\n"


def try_all(make: Callable[[str], Backbone]) -> dict[str, dict[str, str]]:
    """Tries all methods on all families."""
    return {
        family: {m: try_method(backbone, m) for m in METHODS}
        for family, backbone in ((name, make(name)) for name in FAMILIES)
    }


def main() -> None:
    """Writes the matrix into the page."""
    with TemporaryDirectory() as folder:
        matrix = draw(
            try_all(lambda name: make_tiny(name, Path(folder) / name))
        )
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}{matrix}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
