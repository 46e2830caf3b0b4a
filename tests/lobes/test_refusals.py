"""Models in which something would silently not train."""

import pytest
from speechbrain_petl.lobes.refusals import refuse_head, refuse_no_grad
from speechbrain_petl.lobes.sites import find_backbone
from torch import nn


def holder(tiny_ast):
    """Returns two modules around a backbone, one in the other."""
    return nn.ModuleDict({"lobe": nn.ModuleDict({"ast": tiny_ast.model})})


@pytest.mark.parametrize("path", ["", "lobe"])
def test_any_holder_that_freezes_is_refused(tiny_ast, path):
    module = holder(tiny_ast)
    found = find_backbone(module)
    refuse_no_grad(module, found)
    module.get_submodule(path).freeze = False
    refuse_no_grad(module, found)
    module.get_submodule(path).freeze = True
    with pytest.raises(ValueError, match="freeze: True.*without gradients"):
        refuse_no_grad(module, found)


def test_a_method_called_freeze_is_none_of_that(tiny_ast):
    module = holder(tiny_ast)
    module.freeze = module.eval
    refuse_no_grad(module, find_backbone(module))


def test_a_head_is_refused_by_name(tiny_ast):
    module = holder(tiny_ast)
    refuse_head(module, find_backbone(module))
    module["lobe"]["head"] = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"'lobe.head.weight'.*'lobe.ast'"):
        refuse_head(module, find_backbone(module))
