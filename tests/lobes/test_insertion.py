"""Where and how an adapter meets its sub-layer: Tables III, IV and V."""

from functools import partial
from pathlib import Path

import pytest
import torch
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.insertion import Parallel, Sequential
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.selectors import select_sites
from speechbrain_petl.lobes.sites import find_sites
from torch import nn
from transformers import ASTConfig, ASTModel

BACKBONE = str(Path(__file__).parent.parent / "golden" / "backbone")
adapter = partial(Bottleneck, reduction_rate=8)
random = partial(adapter, identity=False)
# With f the sub-layer, A the adapter and n the input.
EQUATIONS = [
    (Parallel, {}, lambda f, A, n: f(n) + A(n)),
    (Parallel, {"place": "after"}, lambda f, A, n: f(n) + A(f(n))),
    (Parallel, {"residual": True}, lambda f, A, n: f(n) + A(n) + n),
    (Parallel, {"scale": 0.1}, lambda f, A, n: f(n) + 0.1 * A(n)),
    (
        Parallel,
        {"residual": True, "scale": 0.1},
        lambda f, A, n: f(n) + 0.1 * A(n) + n,
    ),
    (Sequential, {}, lambda f, A, n: f(n) + A(f(n))),
    (Sequential, {"place": "before"}, lambda f, A, n: f(n + A(n))),
    (
        Sequential,
        {"place": "before_legacy"},
        lambda f, A, n: f(A(n)) + A(n),
    ),
    (Sequential, {"residual": False}, lambda f, A, n: A(f(n))),
    (
        Sequential,
        {"place": "before", "residual": False},
        lambda f, A, n: f(A(n)),
    ),
    (Sequential, {"scale": 0.1}, lambda f, A, n: f(n) + 0.1 * A(f(n))),
]


class Attention(nn.Linear):
    """A sub-layer that, as attention does, gives more than hidden states."""

    def forward(self, hidden, mask=None):
        """Hidden states and weights."""
        return super().forward(hidden), mask


@pytest.mark.parametrize("wrapper, options, equation", EQUATIONS)
def test_equation(wrapper, options, equation):
    """Each layout, on a sub-layer that gives one tensor."""
    layer = wrapper(nn.Linear(48, 48), random, **options)
    n = torch.randn(2, 5, 48)
    want = equation(layer.target, layer.adapter, n)
    torch.testing.assert_close(layer(n), want)


@pytest.mark.parametrize("wrapper, options, equation", EQUATIONS)
def test_passes_on_what_else_there_is(wrapper, options, equation):
    """Arguments reach the sub-layer, attention weights the caller."""
    layer = wrapper(Attention(48, 48), random, **options)
    n = torch.randn(2, 5, 48)
    output, weights = layer(n, mask="weights")
    want = equation(lambda x: layer.target(x)[0], layer.adapter, n)
    torch.testing.assert_close(output, want)
    assert weights == "weights"


parallel = partial(Parallel, adapter=adapter)
sequential = partial(Sequential, adapter=adapter)
LAYOUTS = {
    "mhsa_par_before": {"mhsa": parallel},
    "mhsa_par_after": {"mhsa": partial(parallel, place="after")},
    "mhsa_seq_before": {"mhsa": partial(sequential, place="before")},
    "mhsa_seq_after": {"mhsa": sequential},
    "ffn_par_before": {"ffn": parallel},
    "ffn_par_after": {"ffn": partial(parallel, place="after")},
    "ffn_seq_before": {"ffn": partial(sequential, place="before")},
    "ffn_seq_after": {"ffn": sequential},
    "hou_par": {"mhsa": parallel, "ffn": parallel},
    "hou_seq": {"mhsa": sequential, "ffn": sequential},
    "hou_mixed": {"mhsa": parallel, "ffn": sequential},
    "hydra": {"ffn": [sequential, parallel]},
}


@pytest.fixture(scope="module")
def ast():
    """A tiny pretrained AST."""
    return AST(source=BACKBONE)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_identity_at_step_0(ast, layout):
    """The model starts as its backbone, bit for bit."""
    feats = torch.randn(2, 168, 32)
    model = PETLModel(ast, layout)
    assert torch.equal(model(feats), ast(feats))


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_tensor_learns_after_one_update(ast, layout):
    """None is dead, whatever the layout."""
    roles = [f"norm_{role}" for role in layout]
    model = PETLModel(ast, layout, unfrozen=roles)
    trained = model.delta()
    optimizer = torch.optim.SGD(trained.values(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        (model(torch.randn(2, 168, 32)) - 1).square().mean().backward()
        optimizer.step()
    for name, tensor in trained.items():
        assert tensor.grad.abs().max() > 0, name


@pytest.mark.parametrize(
    "layout",
    [
        {"ffn": partial(parallel, residual=True)},
        {"ffn": partial(sequential, residual=False)},
        {"ffn": partial(sequential, place="before_legacy")},
    ],
)
def test_no_identity_where_the_papers_lose_it(ast, layout):
    """The poor rows of Tables III and IV start far from the backbone."""
    feats = torch.randn(2, 168, 32)
    assert (PETLModel(ast, layout)(feats) - ast(feats)).abs().max() > 0.1


def test_hydra_has_two_branches(ast):
    """``f(n) + A_par(n) + A_seq(f(n))``, each branch with a name."""
    branches = [
        partial(Sequential, adapter=random),
        partial(Parallel, adapter=random),
    ]
    (ffn, *_) = select_sites(find_sites(ast), "ffn[0]")
    model = PETLModel(ast, {"ffn[0]": branches})
    outer = model.model.get_submodule(ffn.path)
    f, n = ffn.module, torch.randn(2, 5, 48)
    want = f(n) + outer.adapter(n) + outer.target.adapter(f(n))
    torch.testing.assert_close(outer(n), want)
    names = {name.rpartition("adapter")[0] for name in model.delta()}
    assert names == {"ffn.0.", "ffn.0.1."}


@pytest.mark.parametrize(
    "layout, rate, method",
    [
        ("ffn_seq_after", 64, 230_544),
        ("mhsa_par_before", 32, 451_872),
        ("hou_mixed", 64, 461_088),
        ("hydra", 64, 461_088),
    ],
)
def test_counts_of_table_v(layout, rate, method):
    """One budget, several layouts.

    The paper's 470K for HYDRA is a single adapter's at rate 32; two branches
    at rate 64 have one output bias more.
    """
    with torch.device("meta"):
        backbone = ASTModel(ASTConfig())
    make = partial(Bottleneck, reduction_rate=rate)
    insertions = {
        role: [
            partial(wrapper, adapter=make)
            for wrapper in (stack if isinstance(stack, list) else [stack])
        ]
        for role, stack in LAYOUTS[layout].items()
    }
    assert (
        PETLModel(backbone, insertions).count_parameters()["method"] == method
    )


@pytest.mark.parametrize(
    "wrapper, place, known",
    [
        (Parallel, "before_legacy", "before, after in Parallel"),
        (Sequential, "beside", "before, after, before_legacy in Sequential"),
    ],
)
def test_refuses_an_unknown_place(wrapper, place, known):
    """The message lists the class's own places."""
    with pytest.raises(ValueError, match=f"{known}, not '{place}'"):
        wrapper(nn.Linear(48, 48), adapter, place=place)
