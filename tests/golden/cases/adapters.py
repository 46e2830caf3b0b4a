"""Golden cases: adapters, where they go, and mixtures of them."""

from functools import partial

from speechbrain_petl.lobes.adapters import Bottleneck, Convpass
from speechbrain_petl.lobes.conformer import Conformer
from speechbrain_petl.lobes.insertion import Parallel, Sequential
from speechbrain_petl.lobes.legacy import AddShared, ParallelShared
from speechbrain_petl.lobes.moa import DenseMoA, SoftMoA

WAYS = {"par": Parallel, "seq": Sequential}
LAYOUTS = {"pf": ["ffn"], "hou": ["mhsa", "ffn"]}
TABLE_III = {
    "par_before": partial(Parallel, place="before"),
    "par_after": partial(Parallel, place="after"),
    "seq_before": partial(Sequential, place="before_legacy"),
    "seq_after": partial(Sequential, place="after"),
}
bottleneck = partial(Bottleneck, reduction_rate=8)
conformer = partial(Conformer, reduction_rate=8, layer_norm=False)
expert = partial(Bottleneck, reduction_rate=12)
convpass = partial(Convpass, reduction_rate=12, convolution=False)
dense = partial(DenseMoA, n_experts=3)
soft = partial(SoftMoA, n_experts=3)
as_reference = dict(normalize=True, phi_axis="experts", unit_slots=True)


def case(roles, wrapper, **ast):
    """One wrapper at each role, with the LayerNorm in front of it."""
    return {
        "insertions": dict.fromkeys(roles, wrapper),
        "unfrozen": [*(f"norm_{role}" for role in roles), "norm_final"],
        "ast": ast,
    }


def moa(roles, adapter, **ast):
    """A mixture in parallel; beside MHSA alone, the reference adds it twice."""
    if roles != ["mhsa"]:
        return case(roles, partial(Parallel, adapter=adapter), **ast)
    twice = case(roles, partial(ParallelShared, adapter=adapter))
    twice["insertions"]["layer"] = AddShared
    return twice


CASES = {}
for layout, roles in LAYOUTS.items():
    for way, wrapper in WAYS.items():
        for inner, residual in {"res": True, "nores": False}.items():
            CASES[f"bottleneck_{layout}_{way}_{inner}"] = case(
                roles, partial(wrapper, adapter=bottleneck, residual=residual)
            )
        for k in (5, 31):
            CASES[f"conformer_{layout}_{way}_k{k}"] = case(
                roles,
                partial(wrapper, adapter=partial(conformer, kernel_size=k)),
            )

for role in ("mhsa", "ffn"):
    for place, wrapper in TABLE_III.items():
        CASES[f"ablation_{role}_{place}"] = case(
            [role], partial(wrapper, adapter=bottleneck)
        )

both = partial(Parallel, adapter=bottleneck)
CASES |= {
    "ablation_mhsa_par_before_conformer_k5": case(
        ["mhsa"], partial(Parallel, adapter=partial(conformer, kernel_size=5))
    ),
    "bottleneck_hou_par_nores_cls": case(["mhsa", "ffn"], both, pooling="cls"),
    "bottleneck_hou_par_len100": case(
        ["mhsa", "ffn"], both, max_length=100, position_embeddings="zeros"
    ),
}

MOA_LAYOUTS = {
    "pf_mhsa": ["mhsa"],
    "pf_ffn": ["ffn"],
    "hou": ["mhsa", "ffn"],
}
for layout, roles in MOA_LAYOUTS.items():
    CASES[f"dense_moa_{layout}"] = moa(roles, partial(dense, expert=expert))
    for p in (1, 2):
        adapter = partial(soft, expert=expert, slots=p)
        CASES[f"soft_moa_{layout}_p{p}_nonorm"] = moa(roles, adapter)
        CASES[f"soft_moa_{layout}_p{p}_norm"] = moa(
            roles, partial(adapter, **as_reference)
        )

CASES |= {
    "dense_moa_hou_locmhsa": moa(
        ["mhsa", "ffn"], partial(dense, expert=expert), pooling="cls"
    ),
    "dense_moa_pf_ffn_convpass": moa(["ffn"], partial(dense, expert=convpass)),
    "soft_moa_pf_mhsa_p2_convpass": moa(
        ["mhsa"], partial(soft, expert=convpass, slots=2)
    ),
}
