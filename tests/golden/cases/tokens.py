"""Golden cases: backbone alone, LoRA, prompts and prefixes."""

from functools import partial

from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.prefix import Prefix, PrefixRows
from speechbrain_petl.lobes.prompts import DeepPrompts, Prompts

FINAL = ["norm_final"]
BIASES = ["norm_*.bias", "query.*.bias", "key.*.bias", "value.*.bias"]
BIASES += ["output.*.bias", "ffn_up.*.bias", "ffn_down.*.bias"]
SITES = {"q": "query", "k": "key", "v": "value", "o": "output"}
lora = partial(LoRA, reduction_rate=12, alpha=8)
prefix = partial(Prefix, num_tokens=6)
POOLINGS = {
    "all": "mean",
    "cls": "cls",
    "prompts": "prompts",
    "speech": "patches",
    "prompts_speech": "not_special",
}

CASES = {
    "linear_len100": {
        "unfrozen": FINAL,
        "ast": {"max_length": 100, "position_embeddings": "zeros"},
    },
}
for end in ("all", "cls"):
    ast = {"pooling": POOLINGS[end]}
    CASES[f"full_ft_{end}"] = {"unfrozen": ["*"], "ast": ast}
    CASES[f"linear_{end}"] = {"unfrozen": FINAL, "ast": ast}
    CASES[f"bitfit_{end}"] = {"unfrozen": BIASES, "ast": ast}
    CASES[f"lora_qv_{end}"] = {
        "insertions": {"query": lora, "value": lora},
        "unfrozen": FINAL,
        "ast": ast,
    }
    CASES[f"prefix6_{end}"] = {
        "insertions": {
            "mhsa": partial(PrefixRows, num_tokens=6),
            "key": prefix,
            "value": prefix,
        },
        "unfrozen": FINAL,
        "ast": ast,
    }
for letters in ("q", "qk", "qv", "qkvo"):
    CASES[f"lora_ablation_{letters}"] = {
        "insertions": {SITES[letter]: lora for letter in letters},
        "unfrozen": FINAL,
    }
for end, pooling in POOLINGS.items():
    shallow = partial(Prompts, drop_distillation=True)
    CASES[f"spt7_{end}"] = {
        "insertions": {"tokens": partial(shallow, n_prompts=7)},
        "unfrozen": FINAL,
        "ast": {"pooling": pooling},
    }
    CASES[f"dpt5_{end}"] = {
        "insertions": {
            "tokens": partial(shallow, n_prompts=5),
            "layer[1:]": partial(
                DeepPrompts, n_prompts=5, drop_distillation=True
            ),
        },
        "unfrozen": FINAL,
        "ast": {"pooling": pooling},
    }
