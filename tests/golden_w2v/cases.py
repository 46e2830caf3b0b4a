"""How to build each case here: a dictionary ``CASES``, see test_golden_w2v."""

from functools import partial

from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.conformer import Conformer
from speechbrain_petl.lobes.insertion import Parallel, Sequential
from speechbrain_petl.lobes.ipet import ParallelOnInput, Tap
from speechbrain_petl.lobes.prompts import InputPrompt, PassingPrompts
from torch import nn

LAYOUTS = {"pf": ["ffn"], "hou": ["mhsa", "ffn"]}
WAYS = {
    "par": Parallel,
    "seq_res": Sequential,
    "seq_nores": partial(Sequential, residual=False),
}


def prompts(n_prompts):
    """IPET's prompts."""
    return {"layer": partial(PassingPrompts, n_prompts=n_prompts)}


def on_input(residual=False):
    """IPET's adapters of width 8."""
    relu = partial(Bottleneck, reduction_rate=4, activation=nn.ReLU)
    adapter = partial(
        ParallelOnInput, adapter=relu, scale=0.1, residual=residual
    )
    return {"norm_before_ffn": Tap, "ffn": adapter}


def petl(layout, way, rate=4, kernel=None, **case):
    """PETL_AST's adapters, of bottlenecks or of Conformers."""
    adapter = partial(Bottleneck, reduction_rate=rate)
    if kernel:
        adapter = partial(Conformer, reduction_rate=rate, kernel_size=kernel)
    wrapper = partial(WAYS[way], adapter=adapter)
    return {"insertions": dict.fromkeys(LAYOUTS[layout], wrapper), **case}


def ipet(**insertions):
    """IPET on wav2vec 2.0, with means and standard deviations."""
    return {"pooling": "mean_std", "insertions": insertions}


LAYER = {"backbone": "layer"}
AST = {"backbone": "ast", "pooling": "cls_dist", "inputs": "mel"}
ALL = {
    "linear": {},
    "prompts_p4": prompts(4),
    "prompts_p8": prompts(8),
    "adapter_b8_paper": on_input(),
    "adapter_b8_legacy": on_input(residual=True),
    "p4_b8_paper": prompts(4) | on_input(),
    "p4_b8_legacy": prompts(4) | on_input(residual=True),
    "p8_b8_paper": prompts(8) | on_input(),
    "p8_b8_legacy": prompts(8) | on_input(residual=True),
}
CASES = {f"ipet_{name}": ipet(**insertions) for name, insertions in ALL.items()}
for name in ("prompts_p8", "p8_b8_paper", "p8_b8_legacy"):
    CASES[f"ipet_{name}"] |= LAYER
bce = nn.functional.binary_cross_entropy_with_logits
CASES |= {
    "ipet_adapter_b8_paper_bce": ipet(**on_input())
    | LAYER
    | {"loss": bce, "target": "target_multi"},
    "ipet_voxceleb_p4_b8_legacy": ipet(**prompts(4), **on_input(residual=True))
    | {"target": "target_onehot"},
    "ipet_ast_adapter_b8": AST | {"insertions": on_input()},
    "ipet_ast_prompts_p8": AST | {"insertions": prompts(8)},
    "ipet_ast_p4_b8": AST | {"insertions": prompts(4) | on_input()},
    "ipet_ast_input_prompt_4": AST
    | {"insertions": {"tokens": partial(InputPrompt, frames=66, border=4)}},
    "petl_bottleneck_hou_par_layer": petl("hou", "par", rate=5, **LAYER),
    "petl_bottleneck_pf_par_ln": petl("pf", "par", unfrozen=["norm_mhsa"]),
    "petl_conformer_pf_seq_res_layer_k31": petl(
        "pf", "seq_res", rate=5, kernel=31, **LAYER
    ),
}
for layout in LAYOUTS:
    for way in WAYS:
        CASES[f"petl_bottleneck_{layout}_{way}"] = petl(layout, way)
        CASES[f"petl_conformer_{layout}_{way}"] = petl(layout, way, kernel=5)
for backbone in ("group", "layer", "stable"):
    CASES[f"petl_linear_{backbone}"] = {"backbone": backbone}
