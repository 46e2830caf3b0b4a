"""PETLModel: structural copy, freezing, delta, counts."""

import copy
from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.insertion import Parallel, Sequential
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.prompts import Prompts
from torch import nn
from transformers import ASTConfig, ASTForAudioClassification, ASTModel

ADAPTER = partial(Bottleneck, reduction_rate=8)
PARALLEL = partial(Parallel, adapter=ADAPTER)
SEQUENTIAL = partial(Sequential, adapter=ADAPTER)
HOULSBY = {"mhsa": PARALLEL, "ffn": PARALLEL}


class Normed(nn.Module):
    """An adapter with buffers: BatchNorm over the tokens."""

    def __init__(self, width):
        super().__init__()
        self.norm = nn.BatchNorm1d(width)

    def forward(self, x):
        """Normalises [B, T, d]."""
        return self.norm(x.mT).mT


def feats(ast, batch=2):
    """A batch of random features."""
    torch.manual_seed(0)
    return torch.randn(batch, ast.config.max_length, ast.config.num_mel_bins)


def test_the_copy_shares_what_is_frozen_and_owns_what_trains(tiny_ast):
    before = copy.deepcopy(tiny_ast.state_dict())
    model = PETLModel(tiny_ast, HOULSBY, ["norm_ffn", "norm_final"])
    shared = {p.data_ptr() for p in tiny_ast.parameters()}
    for name, tensor in model.named_tensors().items():
        assert (tensor.data_ptr() in shared) != tensor.requires_grad, name
    for tensor in model.delta().values():
        tensor.data += 1.0
    for name, tensor in tiny_ast.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_the_backbones_modules_stay_as_they_were(tiny_ast):
    modules = [type(m) for m in tiny_ast.modules()]
    PETLModel(tiny_ast, HOULSBY)
    assert [type(m) for m in tiny_ast.modules()] == modules


def test_identity_at_the_start(tiny_ast):
    x = feats(tiny_ast)
    model = PETLModel(tiny_ast, HOULSBY | {"layer": SEQUENTIAL})
    assert torch.equal(model(x), tiny_ast(x))


def test_order_of_insertion_does_not_matter(tiny_ast):
    x = feats(tiny_ast)
    outputs = []
    for order in (("query", "mhsa"), ("mhsa", "query")):
        model = PETLModel(tiny_ast, dict.fromkeys(order, PARALLEL))
        for name, tensor in sorted(model.delta().items()):
            torch.manual_seed(len(name))
            nn.init.normal_(tensor)
        outputs.append(model(x))
    assert torch.equal(*outputs)


def test_a_list_stacks_wrappers_from_the_inside_out(tiny_ast):
    model = PETLModel(tiny_ast, {"ffn": [PARALLEL, SEQUENTIAL]})
    names = set(model.delta())
    assert "ffn.0.adapter.up.bias" in names
    assert "ffn.0.1.adapter.up.bias" in names
    assert len(names) == 2 * 4 * tiny_ast.config.num_hidden_layers


def test_training_mode_reaches_the_inserted_modules_only(tiny_ast):
    model = PETLModel(tiny_ast, HOULSBY, ["*"]).train()
    adapters = [m for m in model.modules() if isinstance(m, Bottleneck)]
    assert adapters and all(m.training for m in adapters)
    assert not any(m.training for m in model.stock_modules)
    model.eval()
    assert not any(m.training for m in adapters)


def test_frozen_tensors_stay_bit_equal_and_all_others_get_gradients(tiny_ast):
    model = PETLModel(
        tiny_ast, HOULSBY, ["norm_mhsa", "norm_ffn", "norm_final"]
    )
    frozen = {
        n: t.clone()
        for n, t in model.named_tensors().items()
        if not t.requires_grad
    }
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], 0.01
    )
    for _ in range(2):
        optimizer.zero_grad()
        model(feats(tiny_ast)).square().sum().backward()
        optimizer.step()
    for name, tensor in model.named_tensors().items():
        if name in frozen:
            assert torch.equal(tensor, frozen[name]), name
        else:
            assert tensor.grad.abs().sum() > 0, name


def test_the_delta_holds_buffers_and_round_trips(tiny_ast, tmp_path):
    insertions = {"ffn": partial(Parallel, adapter=Normed)}
    model = PETLModel(tiny_ast, insertions, ["norm_ffn"]).train()
    model(feats(tiny_ast))
    assert "ffn.0.adapter.norm.running_var" in model.delta()
    model.save(tmp_path / "encoder.ckpt")
    other = PETLModel(tiny_ast, insertions, ["norm_ffn"])
    other.recover(tmp_path / "encoder.ckpt")
    for name, tensor in model.delta().items():
        assert torch.equal(tensor, other.delta()[name]), name


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda d: d.pop("norm_ffn.0.bias"), "missing 'norm_ffn.0.bias'"),
        (lambda d: d.update(x=torch.ones(1)), "unexpected 'x'"),
        (
            lambda d: d.update({"norm_ffn.0.bias": torch.ones(2)}),
            "'norm_ffn.0.bias' of shape \\(2,\\) instead of",
        ),
    ],
)
def test_loading_is_strict_and_changes_nothing_on_error(
    tiny_ast, change, message
):
    model = PETLModel(tiny_ast, HOULSBY, ["norm_ffn"])
    delta = {n: t.clone() + 1 for n, t in model.delta().items()}
    change(delta)
    before = {n: t.clone() for n, t in model.delta().items()}
    with pytest.raises(ValueError, match=message):
        model.load_delta(delta)
    for name, tensor in model.delta().items():
        assert torch.equal(tensor, before[name])


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"unfrozen": ["norm_fin"]}, "'norm_fin' matches no parameter"),
        ({"unfrozen": "norm_final"}, "'unfrozen' is a list"),
        ({"insertions": {"atention": PARALLEL}}, "Unknown role 'atention'"),
    ],
)
def test_what_matches_nothing_is_refused(tiny_ast, kwargs, message):
    with pytest.raises(ValueError, match=message):
        PETLModel(tiny_ast, **kwargs)


@pytest.mark.parametrize("unfrozen", [(), ["*"]])
def test_a_model_with_a_head_is_refused(unfrozen):
    config = ASTConfig(hidden_size=48, num_hidden_layers=1)
    model = ASTForAudioClassification(config)
    with pytest.raises(
        ValueError,
        match="'classifier.layernorm.weight'.*audio_spectrogram_transformer",
    ):
        PETLModel(model, HOULSBY, unfrozen)
    PETLModel(model.audio_spectrogram_transformer, HOULSBY, unfrozen)


class Foreign(nn.Module):
    """A wrapper of another library, with a name of its own for the target."""

    def __init__(self, module):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.inner = module

    def forward(self, *args, **kwargs):
        """Scales the input of [B, T, d] layers."""
        return self.inner(self.scale * args[0], *args[1:], **kwargs)


def in_place(module):
    """Writes as an optimizer does."""
    with torch.no_grad():
        module.weight.mul_(2)


def behind_the_back(module):
    """Writes so that no version counter sees it."""
    module.weight.data.mul_(2)


def another_memory(module):
    """Writes as peft does."""
    module.weight.data = 2 * module.weight.data


def another_parameter(module):
    """Replaces the parameter."""
    module.weight = nn.Parameter(2 * module.weight.detach())


@pytest.mark.parametrize(
    "write", [in_place, behind_the_back, another_memory, another_parameter]
)
def test_a_wrapper_that_writes_into_its_target_is_refused(tiny_ast, write):
    before = copy.deepcopy(tiny_ast.state_dict())
    sibling = PETLModel(tiny_ast, {"query": Foreign})
    expected = sibling(feats(tiny_ast))

    def wrap(target):
        write(target)
        return Foreign(target)

    with pytest.raises(ValueError, match="Foreign changes 'weight' of 'que"):
        PETLModel(tiny_ast, {"query": wrap})
    for name, tensor in tiny_ast.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert torch.equal(sibling(feats(tiny_ast)), expected)


def test_a_wrapper_that_unfreezes_its_target_is_refused(tiny_ast):
    def wrap(target):
        return Foreign(target.requires_grad_(True))

    with pytest.raises(ValueError, match="makes 'query.2.weight' .* trainable"):
        PETLModel(tiny_ast, {"query": wrap})
    PETLModel(tiny_ast, {"query": wrap}, unfrozen=["query"])


def test_wrappers_find_sizes_through_one_of_another_library(tiny_ast):
    ast, n_prompts = tiny_ast, 3
    prompts = partial(Prompts, n_prompts=n_prompts, drop_distillation=True)
    model = PETLModel(ast, {"tokens": [prompts, Foreign], "ffn": Foreign})
    assert model.model.n_special == 1
    model = PETLModel(ast, {"tokens": [Foreign, prompts]})
    assert model.model.n_special == 1
    model = PETLModel(ast, {"ffn": [Foreign, PARALLEL]})
    assert torch.equal(model(feats(ast)), ast(feats(ast)))


def test_ten_tasks_share_one_backbone(tiny_ast):
    models = [PETLModel(tiny_ast, HOULSBY) for _ in range(10)]
    frozen = {
        t.data_ptr()
        for model in models
        for t in model.parameters()
        if not t.requires_grad
    }
    assert len(frozen) == len(list(tiny_ast.parameters()))


@pytest.fixture(scope="module")
def base_ast():
    """AST-base with the 500 frames of ESC-50, random weights."""
    return ASTModel(ASTConfig(max_length=500))


@pytest.mark.parametrize(
    "roles, unfrozen, method, norm, final",
    [
        ([], ["norm_final"], 0, 0, 1536),
        (["ffn"], ["norm_ffn", "norm_final"], 230_544, 18_432, 1536),
        (
            ["mhsa", "ffn"],
            ["norm_mhsa", "norm_ffn", "norm_final"],
            2 * 230_544,
            2 * 18_432,
            1536,
        ),
        ([], ["*"], 85_669_632, 36_864, 1536),
    ],
    ids=["linear", "pfeiffer", "houlsby", "full_ft"],
)
def test_real_size_counts(base_ast, roles, unfrozen, method, norm, final):
    adapter = partial(Parallel, adapter=partial(Bottleneck, reduction_rate=64))
    model = PETLModel(base_ast, dict.fromkeys(roles, adapter), unfrozen)
    assert model.count_parameters() == {
        "method": method,
        "norm": norm,
        "norm_final": final,
    }
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert trained == method + norm + final
