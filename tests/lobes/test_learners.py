"""Learners read the states of all layers, and nothing of the backbone trains."""

import threading
from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.ladder import Ladder
from speechbrain_petl.lobes.learners import LAdapters, WeightedSum
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.wav2vec2 import Wav2Vec2
from transformers import ASTModel, Wav2Vec2Config, Wav2Vec2Model


def feats(ast, batch=2):
    """Random features."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, *ast.input_shape, generator=generator)


def hidden_states(ast, x):
    """The hidden states of the stock model."""
    with torch.no_grad():
        return ast.model(x, output_hidden_states=True).hidden_states


def test_states_are_those_of_the_stock_model(tiny_ast):
    x = feats(tiny_ast)
    stock = hidden_states(tiny_ast, x)
    plain = partial(WeightedSum, reads="tokens", normalize=False)
    found = PETLModel(tiny_ast, learner=plain).layer_states(x)
    assert found.shape[:2] == (2, 4) and not found.requires_grad
    for i in range(3):  # the last of the stock model's is normalized
        torch.testing.assert_close(found[:, i], stock[i])
    torch.testing.assert_close(
        tiny_ast.model.layernorm(found[:, 3]),
        tiny_ast.model(x).last_hidden_state,
    )


def test_a_family_without_a_final_norm(tmp_path):
    config = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
    )
    Wav2Vec2Model(config).save_pretrained(tmp_path)
    backbone = Wav2Vec2(str(tmp_path), max_length=20, pooling="mean_std")
    x = torch.randn(2, *backbone.input_shape)
    plain = partial(WeightedSum, reads="tokens", normalize=False)
    model = PETLModel(backbone, learner=plain)
    found = model.layer_states(x)
    stock = backbone.model(x, output_hidden_states=True).hidden_states
    torch.testing.assert_close(found, torch.stack(stock, 1))
    assert model(x).shape == (2, 32) == (2, model.embedding_size)
    pooled = PETLModel(backbone, learner=partial(LAdapters, size=5))
    assert pooled.layer_states(x).shape == (2, 3, 1, 32)
    assert pooled(x).shape == (2, 5)
    anyhow = Wav2Vec2(str(tmp_path))
    with pytest.raises(ValueError, match="give it a max_length"):
        PETLModel(anyhow, learner=WeightedSum)(x, torch.tensor([1.0, 0.5]))


def test_pooling_before_or_after_a_sum_is_the_same(tiny_ast):
    x = feats(tiny_ast)
    models = [
        PETLModel(tiny_ast, learner=partial(WeightedSum, reads=reads))
        for reads in ("pooled", "tokens")
    ]
    for model in models:
        with torch.no_grad():
            model.learner.weights.copy_(torch.arange(4.0))
    torch.testing.assert_close(models[0](x), models[1](x))


def test_a_weighted_sum_by_hand(tiny_ast):
    x = feats(tiny_ast)
    model = PETLModel(tiny_ast, learner=partial(WeightedSum, normalize=False))
    with torch.no_grad():
        model.learner.weights.copy_(torch.tensor([9.0, 0, 0, 0]).log1p())
    first = hidden_states(tiny_ast, x)[0].mean(1)
    others = [
        state.mean(1) for state in model.layer_states(x)[:, :, 0:1].unbind(1)
    ]
    expected = (10 * others[0] + others[1] + others[2] + others[3]) / 13
    torch.testing.assert_close(model(x), expected)
    torch.testing.assert_close(others[0], first)


@pytest.mark.parametrize(
    "learner, count",
    [
        (WeightedSum, 4),
        # 3 adapters of 192 x 512, biases, LayerNorms, and their weights
        (LAdapters, 3 * (192 * 512 + 512 + 2 * 512) + 3),
        (partial(LAdapters, size=8), 3 * (192 * 8 + 8 + 2 * 8) + 3),
        (
            partial(Ladder, reduction_rate=8),
            4 * (192 * 24 + 24)  # down
            + 3 * (12 * 24**2 + (1 + 4 + 1) * 24 + 2 * 2 * 24)
            + 3  # gates
            + 2 * 24
            + (24 * 192 + 192),
        ),
    ],
)
def test_counts(tiny_ast, learner, count):
    model = PETLModel(tiny_ast, learner=learner)
    assert model.count_parameters()["method"] == count
    assert all(name.startswith("learner.") for name in model.delta())


def test_nothing_runs_backwards_through_the_backbone(tiny_ast):
    model = PETLModel(tiny_ast, learner=Ladder)
    states = model.layer_states(feats(tiny_ast))
    assert not states.requires_grad
    assert states.grad_fn is None


def test_threads_do_not_mix_their_states(tiny_ast):
    model = PETLModel(tiny_ast, learner=WeightedSum).eval()
    inputs = [feats(tiny_ast) * i for i in range(4)]
    expected = [model(x).detach() for x in inputs]
    found = {}

    def work(i):
        for _ in range(3):
            found[i] = model(inputs[i]).detach()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(4):
        torch.testing.assert_close(found[i], expected[i])


def test_what_a_learner_refuses(tiny_ast):
    with pytest.raises(ValueError, match="one of the library's backbones"):
        PETLModel(ASTModel(tiny_ast.config), learner=WeightedSum)
    with pytest.raises(ValueError, match="norm_final, which would train to no"):
        PETLModel(tiny_ast, unfrozen=["norm_final"], learner=WeightedSum)
    with pytest.raises(ValueError, match="first_layer is 1, but nothing"):
        PETLModel(tiny_ast, learner=WeightedSum, first_layer=1)
    with pytest.raises(ValueError, match="reads is pooled or tokens"):
        PETLModel(tiny_ast, learner=partial(WeightedSum, reads="layers"))
    with pytest.raises(ValueError, match="24 wide .* 5 heads do not divide"):
        PETLModel(tiny_ast, learner=partial(Ladder, heads=5))
    with pytest.raises(ValueError, match="size is 0"):
        PETLModel(tiny_ast, learner=partial(LAdapters, size=0))
    with pytest.raises(ValueError, match="WeightedSum cannot be merged"):
        PETLModel(tiny_ast, learner=WeightedSum).merge()
