"""Every method against numbers of the papers' reference code.

``tests/golden/<case>.safetensors`` holds what the reference code (PETL_AST at
1fe23af, transformers 4.28.1) computed for ``inputs.safetensors`` with the tiny
random AST of ``backbone``, under our names of the tensors: ``delta/`` has the
trained tensors, ``head.*`` the classifier, ``io/`` the outputs, ``grad/`` the
gradients for the first and the last layer, ``train/`` one pass in training
mode. A file in ``tests/golden/cases`` says how to build each case here, in a
dictionary ``CASES``: the ``insertions`` and ``unfrozen`` of ``PETLModel`` and,
under ``ast``, the options of ``AST``.
"""

import runpy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.petl import PETLModel
from torch import nn

GOLDEN = Path(__file__).parent.parent / "golden"
CASES = {}
for file in sorted((GOLDEN / "cases").glob("*.py")):
    CASES |= runpy.run_path(str(file))["CASES"]
NOT_MODELS = {"inputs", "convpass_module"}
TARGETS = torch.tensor([1, 3])


def build(name):
    """The model and the head of a case, with the reference's weights."""
    case = CASES[name]
    golden = load_file(GOLDEN / f"{name}.safetensors")
    ast = AST(source=str(GOLDEN / "backbone"), **case.get("ast", {}))
    model = PETLModel(ast, case.get("insertions"), case.get("unfrozen", ()))
    model.load_delta(part(golden, "delta/"))
    head = nn.Linear(*reversed(golden["head.weight"].shape))
    head.load_state_dict(part(golden, "head."))
    feats = load_file(GOLDEN / "inputs.safetensors")
    return model, head, feats[str(ast.config.max_length)], golden


def part(golden, prefix):
    """The tensors under a prefix, without it."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in golden.items()
        if name.startswith(prefix)
    }


def watch(model):
    """Records what the embeddings, the layers and the final norm give."""
    seen = {}
    names = {"tokens": "embeddings", "norm_final": "last_hidden"}
    for site in model.sites:
        if site.role == "layer":
            name = f"layer{site.layer}"
            module = model.model.get_submodule(site.path)
        elif site.role in names:
            name, module = names[site.role], site.module
        else:
            continue
        module.register_forward_hook(
            lambda module, args, output, name=name: seen.update({name: output})
        )
    return seen


def step(model, head, feats):
    """Logits, loss and, by role, the gradients."""
    logits = head(model(feats))
    loss = nn.functional.cross_entropy(logits, TARGETS)
    loss.backward()
    grads = {n: t.grad for n, t in model.named_tensors().items()}
    grads |= {f"head.{n}": t.grad for n, t in head.named_parameters()}
    return {"logits": logits, "loss": loss}, grads


def assert_equal(ours, golden):
    """Every golden tensor is there and equal."""
    assert golden
    for name, want in golden.items():
        torch.testing.assert_close(
            ours[name],
            want,
            rtol=0,
            atol=1e-5,
            msg=lambda text, name=name: f"{name}: {text}",
        )


@pytest.mark.parametrize("name", CASES)
def test_equals_reference(name):
    """Logits, hidden states, loss and gradients agree in eval mode."""
    model, head, feats, golden = build(name)
    seen = watch(model)
    model.eval()
    outputs, grads = step(model, head, feats)
    assert_equal(seen | outputs, part(golden, "io/"))
    assert_equal(grads, part(golden, "grad/"))


@pytest.mark.parametrize("name", [n for n in CASES if "conformer" in n])
def test_training_pass_equals_reference(name):
    """Batch statistics are used, and kept, in training mode."""
    model, head, feats, golden = build(name)
    outputs, grads = step(model.train(), head, feats)
    train = part(golden, "train/")
    assert_equal(outputs, {n: train[n] for n in ("logits", "loss")})
    assert_equal(grads, part(train, "grad/"))
    delta = model.delta()
    assert_equal(delta, part(train, "delta/"))
    counters = [n for n in delta if n.endswith("num_batches_tracked")]
    assert counters
    assert all(delta[name] == 1 for name in counters)


def test_every_golden_file_has_a_case():
    """No number lies unused."""
    files = {file.stem for file in GOLDEN.glob("*.safetensors")}
    assert files - NOT_MODELS == set(CASES)
