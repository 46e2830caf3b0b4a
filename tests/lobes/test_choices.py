"""Names of options: each names something, and nothing lacks a name."""

from speechbrain_petl.lobes import ast, choices, pooling


def test_poolings_are_all_named():
    assert tuple(ast.POOLINGS) == choices.AST_POOLINGS
    assert tuple(pooling.POOLINGS) == choices.POOLINGS
