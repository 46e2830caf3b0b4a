"""Measures what each quirk of the reference code does to the logits.

For each legacy option: a golden case of the tests, that is the tiny random AST
with the reference's own weights, run with the option and without it. Prints a
Markdown table with the largest difference of a logit beside the largest logit.

    python tools/legacy_effects.py
"""

import runpy
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file
from speechbrain_petl.lobes.adapters import Bottleneck, Convpass
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.conformer import Conformer
from speechbrain_petl.lobes.insertion import Parallel, Sequential
from speechbrain_petl.lobes.moa import DenseMoA, SoftMoA
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.prompts import Prompts

GOLDEN = Path(__file__).parent.parent / "tests" / "golden"
bottleneck = partial(Bottleneck, reduction_rate=8)
expert = partial(Bottleneck, reduction_rate=12)
moa = runpy.run_path(str(GOLDEN / "cases" / "adapters.py"))["CASES"]


def logits(case, insertions, **ast):
    """Logits of a golden case with other insertions; missing tensors start."""
    golden = load_file(GOLDEN / f"{case}.safetensors")
    torch.manual_seed(0)
    model = PETLModel(AST(str(GOLDEN / "backbone"), **ast), insertions, ["*"])
    own = model.delta()
    with torch.no_grad():
        for name, tensor in golden.items():
            name = name.removeprefix("delta/")
            if name in own and own[name].shape == tensor.shape:
                own[name].copy_(tensor)
        feats = load_file(GOLDEN / "inputs.safetensors")["168"]
        head = golden["head.weight"], golden["head.bias"]
        return torch.nn.functional.linear(model.eval()(feats), *head)


def at(role, wrapper, adapter, **options):
    """One wrapper at one role."""
    return {role: partial(wrapper, adapter=adapter, **options)}


convpass = partial(Convpass, reduction_rate=12)
conformer = partial(Conformer, reduction_rate=8, kernel_size=31)
soft = partial(SoftMoA, expert=expert, n_experts=3, normalize=True)
prompts = partial(Prompts, n_prompts=7)
twice = moa["soft_moa_pf_mhsa_p1_nonorm"]["insertions"]
once = at("mhsa", Parallel, partial(SoftMoA, expert=expert, n_experts=3))
before = partial(at, "mhsa", Sequential, bottleneck)
ROWS = {
    "`position_embeddings: zeros`": (
        logits("linear_all", {}),
        logits("linear_all", {}, position_embeddings="zeros"),
    ),
    "Conformer `layer_norm: False`": tuple(
        logits(
            "conformer_pf_par_k31",
            at("ffn", Parallel, partial(conformer, layer_norm=norm)),
        )
        for norm in (True, False)
    ),
    "Convpass `convolution: False`": tuple(
        logits(
            "dense_moa_pf_ffn_convpass",
            at(
                "ffn",
                Parallel,
                partial(
                    DenseMoA,
                    expert=partial(convpass, convolution=used),
                    n_experts=3,
                ),
            ),
        )
        for used in (True, False)
    ),
    "Soft-MoA beside MHSA added twice (`legacy.AddShared`)": (
        logits("soft_moa_pf_mhsa_p1_nonorm", once),
        logits("soft_moa_pf_mhsa_p1_nonorm", twice),
    ),
    "Soft-MoA `phi_axis: experts`": tuple(
        logits(
            "soft_moa_pf_ffn_p1_norm",
            at("ffn", Parallel, partial(soft, phi_axis=axis)),
        )
        for axis in ("width", "experts")
    ),
    "Soft-MoA `unit_slots: True`": tuple(
        logits(
            "soft_moa_pf_ffn_p1_norm",
            at("ffn", Parallel, partial(soft, unit_slots=unit)),
        )
        for unit in (False, True)
    ),
    "prompts `drop_distillation: True`": tuple(
        logits("spt7_all", {"tokens": partial(prompts, drop_distillation=drop)})
        for drop in (False, True)
    ),
    "`place: before_legacy`, sequential at MHSA": (
        logits("ablation_mhsa_seq_before", before(place="before")),
        logits("ablation_mhsa_seq_before", before(place="before_legacy")),
    ),
}

if __name__ == "__main__":
    print("| Option | Largest change of a logit | Largest logit |")
    print("|---|---:|---:|")
    for name, (ours, legacy) in ROWS.items():
        change = (ours - legacy).abs().max().item()
        print(f"| {name} | {change:.2f} | {ours.abs().max().item():.2f} |")
    torch.manual_seed(0)
    ast = AST(str(GOLDEN / "backbone"))
    feats = load_file(GOLDEN / "inputs.safetensors")["168"]
    plain = ast.tokens(feats)
    for way in (Parallel, Sequential):
        adapter = partial(bottleneck, identity=False)
        wrapper = partial(way, adapter=adapter)
        model = PETLModel(ast, {"mhsa": wrapper, "ffn": wrapper})
        change = (model.model.tokens(feats) - plain).norm() / plain.norm()
        print(f"identity: False, {way.__name__}: hidden states {change:.1e}")
