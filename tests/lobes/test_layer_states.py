"""States of all layers travel through the stock model to the learner."""

import threading
from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.ladder import Ladder
from speechbrain_petl.lobes.learners import LAdapters, WeightedSum
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.wav2vec2 import Wav2Vec2
from transformers import Wav2Vec2Config, Wav2Vec2Model


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


@pytest.mark.parametrize("learner", [WeightedSum, LAdapters, Ladder])
def test_a_compiled_model_hands_them_on_too(tiny_ast, learner):
    model = PETLModel(tiny_ast, learner=learner).eval()
    expected = model(feats(tiny_ast)).detach()
    torch._dynamo.reset()
    compiled = torch.compile(model, backend="aot_eager")
    torch.testing.assert_close(compiled(feats(tiny_ast)).detach(), expected)
