"""Gradient checkpointing under torch.compile."""

from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.conformer import Conformer
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.petl import PETLModel


def trained(ast, adapter, checkpointing, compiled):
    """Gradients, and buffers, after a backward pass."""
    torch.manual_seed(0)
    insertions = {"ffn": partial(Parallel, adapter=adapter)}
    model = PETLModel(ast, insertions, gradient_checkpointing=checkpointing)
    run = model.train()
    if compiled:
        run = torch.compile(model, backend="aot_eager")
    y = run(torch.linspace(-1, 1, 2 * 100 * 128).view(2, 100, 128))
    (y * torch.linspace(-1, 1, y.numel()).view_as(y)).sum().backward()
    torch._dynamo.reset()
    return {
        name: tensor.grad if tensor.requires_grad else tensor
        for name, tensor in model.delta().items()
    }


@pytest.mark.parametrize("kind", [Bottleneck, Conformer])
def test_compiled_layers_are_computed_again(tiny_ast, kind):
    adapter = partial(kind, reduction_rate=8, identity=False)
    expected = trained(tiny_ast, adapter, False, False)
    found = trained(tiny_ast, adapter, True, True)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
