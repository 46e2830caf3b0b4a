#!/usr/bin/env python3
"""Writes recipes/*/hparams/published: IPET as its authors train it.

From the same corpus's ``ipet.yaml`` and ``wav2vec2/ipet.yaml``, with the
optimizer, schedule and augmentation of their code, and with what the corpus's
``corpus.yaml`` has under ``published``, its row of their table. After a change
of any of them:

> python tools/published_yamls.py
"""

import re
import runpy
from pathlib import Path

from speechbrain_petl.experiments.planning.recipes import read_recipe
from speechbrain_petl.utils.recipes import corpora_in

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
SPREAD = runpy.run_path(str(Path(__file__).with_name("spread_variants.py")))
mark, set_keys = SPREAD["mark"], SPREAD["set_keys"]

# In all of them. What differs from the code by default has the code's value
# beside it.
CHANGES = (
    (
        r"(\A# #+\n)# (?:Generated [^\n]+\n# )?([^:\n]+): [^\n]+\n# [^\n]+",
        r"\1# \2: IPET as its authors train it.\n"
        r"# arXiv 2211.02227; what their code does otherwise is an option here.",
    ),
    (r"(\n# python train.py hparams/)\S+", r"\1published/{name}.yaml"),
    (r"\nexperiment_name: \w+", "\nexperiment_name: published_{name}"),
    (
        r"\nadapter_scale: 0.1\n",
        """
adapter_scale: 0.1
adapter_residual: False  # True: h + 0.1 A(h), their code on wav2vec 2.0
identity: True  # False: adapters start at random, as their code's
frozen_in_train_mode: False  # True: the backbone drops out, as in their code
""",
    ),
    (
        r"(\n +scale: !ref <adapter_scale>)\n",
        r"\1\n            residual: !ref <adapter_residual>\n",
    ),
    (
        r"(\n +dropout: !ref <adapter_dropout>)\n",
        r"\1\n                identity: !ref <identity>\n",
    ),
    (
        r"(\n    gradient_checkpointing: !ref <gradient_checkpointing>)\n",
        r"\1\n    frozen_in_train_mode: !ref <frozen_in_train_mode>\n",
    ),
    (
        r"\nopt_class: !name:torch.optim.AdamW\n(.*?)betas: [^\n]+\n"
        r"(.*?)eps: [^\n]+\n",
        "\nopt_class: !name:torch.optim.Adam\n\\1betas: [0.95, 0.999]\n"
        "\\2eps: 0.00000001\n",
    ),
    (
        r"\n# Cosine [^\n]+\nlr_annealing: [^\n]+\n",
        """
# 0.85 times the rate after each of the epochs 5 to 25
lr_annealing: !name:speechbrain_petl.training.multi_step
    epochs: !ref <number_of_epochs>
""",
    ),
)
HEAD = (
    r"(\nclassifier: !name:speechbrain_petl.lobes.heads.NormedLinear)"
    r"(?:\n    eps: [^\n]+)?\n",
    r"\1\n    eps: 0.00001\n    xavier: True\n",
)
MASKS = """# Training only: widest masks, in mel bins and frames, of silence; the highest
# level of noise, and the most frames of a shift
freq_mask: 24
time_mask: 80
noise: 0.0
shift: 0

# Mixup of"""
OTHER_MASKS = r"# SpecAugment, training only[^#]*"
# Where features are log-mel, and where they are waveforms
FAMILIES = {
    "ipet": (
        (r"# Mixup of", MASKS),
        (
            r"(\n# The paper augments no speech)?\naugment: .*?\n\n",
            """
augment: !new:speechbrain_petl.lobes.masking.SilentMasks
    freq_mask: !ref <freq_mask>
    time_mask: !ref <time_mask>
    mean: !ref <feature_mean>
    std: !ref <feature_std>
    noise: !ref <noise>
    shift: !ref <shift>

""",
        ),
    ),
    "wav2vec2/ipet": (
        (
            r"\nnormalize: [^\n]+\n",
            "\nnormalize: False  # null: as the checkpoint says\n",
        ),
        (
            r"\nlonger: [^\n]+\n",
            "\nlonger: random  # in tests the middle; random_always: their code\n",
        ),
        (
            r"(frozen_in_train_mode: False  # [^\n]+\n)",
            r"\1time_masking: False  # True, with it: masks tokens, as their code"
            "\n",
        ),
        (
            r"(\nbackbone: .*?    pooling: !ref <pooling>)\n",
            r"\1\n    time_masking: !ref <time_masking>\n",
        ),
    ),
}
ALWAYS = {"weight_decay": 5e-7}
# Lines whose comments are of other values
STALE = r"(?m)^((?:feature_mean|feature_std|loss): \S+)  #.*$"


def name_of(variant: str) -> str:
    """Returns the name of a published YAML, such as ``wav2vec2_ipet``."""
    return variant.replace("/", "_")


def publish(corpus: str, variant: str) -> str:
    """Returns the text of a YAML.

    Arguments
    ---------
    corpus : str
        Folder in ``recipes``.
    variant : str
        YAML that it is made from.
    """
    path = RECIPES / corpus / "hparams" / f"{variant}.yaml"
    text = path.read_text(encoding="utf-8")
    text = re.sub(OTHER_MASKS, "", text)
    changes = [*CHANGES, *FAMILIES[variant]]
    if "NormedLinear" in text:
        changes.append(HEAD)
    for old, new in changes:
        new = new.replace("{name}", name_of(variant))
        text, times = re.subn(old, new, text, flags=re.S)
        assert times == 1, f"{path}: {times} x {old}"
    own = (read_recipe(RECIPES / corpus).published or {})[variant]
    text = set_keys(text, {**ALWAYS, **own})
    text = re.sub(STALE, r"\1", text)
    source = f"../{variant}.yaml and corpus.yaml"
    return mark(text, f"Generated by tools/published_yamls.py from {source}.")


def files() -> dict[Path, str]:
    """Returns all files that there should be, with their texts."""
    return {
        RECIPES
        / corpus
        / "hparams"
        / "published"
        / f"{name_of(variant)}.yaml": (publish(corpus, variant))
        for corpus in corpora_in(RECIPES)
        for variant in read_recipe(RECIPES / corpus).published or {}
    }


if __name__ == "__main__":
    for path, text in files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
