#!/usr/bin/env python3
"""Writes recipes/*/hparams/wav2vec2 from the same corpus's YAMLs for AST.

They differ in the backbone, its front end, the augmentation of features, and
where a paper sets a method otherwise on wav2vec 2.0. After a change of the
YAMLs for AST:

> python tools/wav2vec2_yamls.py
"""

import re
from pathlib import Path

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
CORPORA = ("ESC50", "FluentSpeechCommands", "GoogleSpeechCommands")
CORPORA += ("UrbanSound8k",)
VARIANTS = ("adapter_hou_par", "full_ft", "ipet", "linear", "lora")
SETTINGS = """# Backbone and front end
ast_source: facebook/wav2vec2-base  # or HuBERT, WavLM, ...: docs/BACKBONES.md
ast_revision: null
\\1pooling: mean  # of all tokens; or mean_std
sample_rate: 16000
normalize: null  # each clip's mean and variance; null: as the checkpoint says
shorter: repeat  # what fills up short clips; or zeros
longer: random  # what is left of long clips; or first

"""
BACKBONE = """ast: !apply:speechbrain_petl.lobes.load_backbone
    source: !ref <ast_source>
    revision: !ref <ast_revision>
    max_length: !ref <max_length>
    pooling: !ref <pooling>

"""
FRONT_END = """compute_features: !apply:speechbrain_petl.lobes.front_end_of
    backbone: !ref <ast>
    normalize: !ref <normalize>
    shorter: !ref <shorter>
    longer: !ref <longer>

augment: !new:torch.nn.Identity

"""
# What every YAML for AST has, and what stands in its place: no LayerNorm
# trains, and there is no final one where norms stand after the sub-layers.
CHANGES = (
    (r"# Backbone and front end\n.*?(max_length: [^\n]+\n).*?\n\n", SETTINGS),
    (r"\nast: !new:.*?\n\n", "\n" + BACKBONE),
    (r"compute_features: !new:.*?(?=# Made once)", FRONT_END),
    (r"(\n# python train.py hparams/)", r"\1wav2vec2/"),
    (r"\nexperiment_name: (\w+)", r"\nexperiment_name: wav2vec2_\1"),
)
NOT_THERE = (
    r"# SpecAugment, training only:.*?\n\n",
    r"\n +unfrozen: \[norm_[^]]*\]",
)
HEADERS = {
    "adapter_hou_par": "bottleneck adapters beside MHSA and FFN, wav2vec 2.0.\n"
    "# arXiv 2312.03694's code on wav2vec 2.0: 461K parameters, no LayerNorm.",
    "full_ft": "the last three layers of wav2vec 2.0 train.\n"
    "# arXiv 2312.03694's code on wav2vec 2.0: all twelve overfit.",
    "ipet": "IPET on wav2vec 2.0, prompts in layers, adapters beside FFN.\n"
    "# arXiv 2211.02227; prompts, widths, learning rate of its ESC-50, or commands.",
    "linear": "a linear probe of wav2vec 2.0.\n"
    "# arXiv 2312.03694's code on wav2vec 2.0: the mean of all tokens.",
    "lora": "LoRA on the queries and the values of wav2vec 2.0.\n# As on AST.",
}
IPET = {
    "\npooling: mean  # of all tokens; or mean_std": "\npooling: mean_std",
    "classifier: !name:speechbrain_petl.lobes.heads.NormedLinear": "classifier:"
    " !name:speechbrain_petl.lobes.heads.NormedLinear\n    eps: 0.00001",
}
METHODS = {
    "linear": {
        "longer: random  # what is left of long clips; or first": "longer: "
        "first  # what is left of long clips; random cannot be cached",
    },
    "full_ft": {
        'unfrozen: ["*"]': 'unfrozen: ["layer[-3:]"]  # ["*"]: everything',
        "LR": "0.00005",
    },
    "ipet": {**IPET, "LR": "0.0025", "PROMPTS": "128", "RATE": "6"},
    "ipet/GoogleSpeechCommands": {
        **IPET,
        "LR": "0.001",
        "PROMPTS": "64",
        "RATE": "12",
    },
}
NUMBERS = {
    "LR": r"\nlr: [\d.]+",
    "PROMPTS": r"\nn_prompts: \d+",
    "RATE": r"\nreduction_rate: \d+",
}


def convert(corpus: str, variant: str) -> str:
    """Returns the text of a YAML."""
    path = RECIPES / corpus / "hparams" / f"{variant}.yaml"
    text = path.read_text(encoding="utf-8")
    for old, new in CHANGES:
        text, times = re.subn(old, new, text, flags=re.S)
        assert times == 1, f"{path}: {times} x {old}"
    for old in NOT_THERE:
        text = re.sub(old, "", text, flags=re.S)
    header = r"(\A# #+\n)# ([^:\n]+): [^\n]+\n# [^\n]+"
    text = re.sub(
        header,
        lambda found: (
            f"{found[1]}# {found[2]}: {HEADERS[variant]}\n"
            f"# Written by tools/wav2vec2_yamls.py from ../{variant}.yaml."
        ),
        text,
    )
    changes = METHODS.get(f"{variant}/{corpus}", METHODS.get(variant, {}))
    for old, new in changes.items():
        if old in NUMBERS:
            key = re.search(NUMBERS[old], text)[0].split(":")[0]
            text = re.sub(NUMBERS[old], f"{key}: {new}", text)
        else:
            assert text.count(old) == 1, f"{path}: {old}"
            text = text.replace(old, new)
    return text


def files() -> dict[Path, str]:
    """Returns all files that there should be, with their texts."""
    return {
        RECIPES / corpus / "hparams" / "wav2vec2" / f"{variant}.yaml": convert(
            corpus, variant
        )
        for corpus in CORPORA
        for variant in VARIANTS
    }


if __name__ == "__main__":
    for path, text in files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
