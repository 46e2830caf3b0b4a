"""Fingerprints: of what a backbone computes, nothing else."""

import pytest
import torch
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.fingerprint import fingerprint


def test_the_clip_length_does_not_matter(tiny_ast, tiny_folder):
    short = AST(tiny_folder, max_length=48)
    assert fingerprint(short) == fingerprint(tiny_ast)


@pytest.mark.parametrize("name", ["layers.2.mlp.fc1.bias", "layernorm.weight"])
def test_one_changed_number_matters(tiny_ast, name):
    before = fingerprint(tiny_ast)
    with torch.no_grad():
        tiny_ast.model.get_parameter(name)[-1] += 1e-3
    assert fingerprint(tiny_ast) != before


def test_swapped_tensors_matter(tiny_ast):
    before = fingerprint(tiny_ast)
    first, second = tiny_ast.model.layers[:2]
    first.mlp, second.mlp = second.mlp, first.mlp
    assert fingerprint(tiny_ast) != before


def test_the_type_of_the_same_numbers_does_not_matter(tiny_ast):
    tiny_ast.half().float()
    rounded = fingerprint(tiny_ast)
    assert fingerprint(tiny_ast.half()) == rounded
