"""The lobe of wav2vec 2.0, the choice of a lobe, SpeechBrain's own."""

import json
from functools import partial

import pytest
import torch
from speechbrain_petl.lobes.families import front_end_of, load_backbone
from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.wav2vec2 import Wav2Vec2
from torch import nn
from transformers import (
    BertConfig,
    BertModel,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
)

SIZE = dict(
    hidden_size=24,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    conv_dim=[16] * 7,
    num_conv_pos_embeddings=4,
    num_conv_pos_embedding_groups=2,
)
KINDS = {
    "group": (Wav2Vec2Model, Wav2Vec2Config, {}),
    "layer": (
        Wav2Vec2Model,
        Wav2Vec2Config,
        {"feat_extract_norm": "layer", "do_stable_layer_norm": True},
    ),
    "wavlm": (WavLMModel, WavLMConfig, {}),
}


def save(folder, kind, normalize=True):
    """Saves a tiny random model with its preprocessor."""
    model, config, options = KINDS[kind]
    model = model(config(**SIZE, **options))
    for tensor in model.state_dict().values():
        nn.init.normal_(tensor, std=0.3)
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=normalize).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Tiny models with their preprocessors."""
    root = tmp_path_factory.mktemp("wav2vec2")
    return {k: save(root / k, k, normalize=k != "wavlm") for k in KINDS}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pooling", ["mean", "mean_std"])
def test_clips_of_any_length_run_as_if_alone(folders, kind, pooling):
    backbone = Wav2Vec2(folders[kind], pooling=pooling)
    wavs = torch.randn(4, 8000)
    n_samples = [8000, 3000, 8000, 5001]
    lens = torch.tensor(n_samples) / 8000
    tokens, pooled = backbone.tokens(wavs, lens), backbone(wavs, lens)
    assert pooled.shape == (4, backbone.embedding_size)
    for row, n in enumerate(n_samples):
        stock = backbone.model(wavs[row : row + 1, :n]).last_hidden_state
        n_tokens = backbone.count_tokens(n)
        assert stock.shape[1] == n_tokens
        torch.testing.assert_close(tokens[row, :n_tokens], stock[0])
        assert not tokens[row, n_tokens:].any()
        torch.testing.assert_close(
            pooled[row], backbone(wavs[row : row + 1, :n])[0]
        )


def test_several_clips_of_any_length_need_their_lengths(folders):
    with pytest.raises(ValueError, match="needs their relative lengths"):
        Wav2Vec2(folders["group"])(torch.randn(2, 8000))


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda f: Wav2Vec2(f, max_length=50)(torch.randn(2, 8001)),
            "8001 sam",
        ),
        (lambda f: Wav2Vec2(f)(torch.randn(1, 300)), "too short for a token"),
        (lambda f: Wav2Vec2(f, max_length=2), "makes no token of"),
        (lambda f: Wav2Vec2(f, pooling="cls"), "pooling is one of mean, mean_"),
        (lambda f: load_backbone(f, positions=1), "has no option 'positions'"),
        (lambda f: Wav2Vec2(f).front_end(mean=1), "has no option 'mean'"),
    ],
)
def test_bad_calls_are_refused(folders, call, message):
    with pytest.raises(ValueError, match=message):
        call(folders["group"])


def test_the_front_end_is_the_checkpoints(folders, whisper_folder, tiny_folder):
    for kind in ("group", "wavlm"):
        backbone = load_backbone(folders[kind], max_length=50)
        front_end = front_end_of(backbone)
        assert front_end.normalize == (kind == "group")
        assert front_end.max_length == 50
        assert not front_end_of(backbone, normalize=False).normalize
    whisper = load_backbone(whisper_folder, max_length=60)
    assert front_end_of(whisper).record()["max_length"] == 60
    ast = load_backbone(tiny_folder, max_length=48)
    assert front_end_of(ast, mean=-1.0).record()["mean"] == -1.0
    for backbone in (whisper, ast):
        feats = front_end_of(backbone)(torch.randn(2, 9000))
        assert feats.shape[1:] == backbone.input_shape
        assert backbone(feats).shape == (2, backbone.embedding_size)


def test_an_unreadable_preprocessor_is_refused(tmp_path):
    folder = save(tmp_path, "group")
    backbone = Wav2Vec2(folder, max_length=50)
    (tmp_path / "preprocessor_config.json").write_text("{")
    with pytest.raises(ValueError, match="does not say how its input"):
        backbone.front_end()
    assert backbone.front_end(normalize=True).normalize
    (tmp_path / "preprocessor_config.json").unlink()
    assert backbone.front_end().normalize


def test_an_unknown_family_is_told_how_to_be_added(tmp_path):
    config = BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1
    )
    BertModel(config).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="family 'bert', which has no lobe"):
        load_backbone(str(tmp_path))
    with pytest.raises(ValueError, match="'mhsa': 'encoder.layers"):
        PETLModel(BertModel(config))
    with pytest.raises(ValueError, match="No backbone can be loaded"):
        load_backbone(str(tmp_path / "nowhere"))


def test_a_lobe_of_another_family_is_refused(whisper_folder):
    with pytest.raises(ValueError, match="reads no waveforms"):
        Wav2Vec2(whisper_folder)


lora = partial(LoRA, rank=2)


@pytest.mark.parametrize("kind", ["group", "wavlm"])
def test_speechbrains_lobes_inside_a_petl_model(folders, kind, tmp_path):
    from speechbrain.integrations.huggingface.wav2vec2 import (
        Wav2Vec2 as SpeechBrains,
    )

    lobe = SpeechBrains(folders[kind], str(tmp_path), freeze=False)
    model = PETLModel(lobe, {"query": lora, "value": lora}).train()
    assert not any(m.training for m in model.stock_modules)
    wavs, lens = torch.randn(2, 8000), torch.tensor([1.0, 0.5])
    want = lobe.eval()(wavs, lens)
    found = model(wavs, lens)
    torch.testing.assert_close(found, want, rtol=0, atol=1e-4)
    found.square().mean().backward()
    grads = [t.grad.any() for n, t in model.delta().items() if ".up." in n]
    assert len(grads) == 4 and all(grads)
    frozen = SpeechBrains(folders[kind], str(tmp_path), freeze=True)
    with pytest.raises(ValueError, match="made with freeze: True"):
        PETLModel(frozen, {"query": lora})


def test_a_checkpoint_says_which_form_it_has(folders):
    for kind, norm in (("group", "norm_mhsa"), ("layer", "norm_ffn")):
        model = PETLModel(Wav2Vec2(folders[kind]), unfrozen=["norm_before_ffn"])
        assert {n.split(".")[0] for n in model.delta()} == {norm}
        config = json.loads(open(f"{folders[kind]}/config.json").read())
        assert config["do_stable_layer_norm"] == (norm == "norm_ffn")


def test_the_frozen_backbone_trains_as_ipets_code_if_asked(folders):
    backbone = Wav2Vec2(folders["group"], max_length=100, time_masking=True)
    x = torch.randn(2, 16000)
    quiet = PETLModel(backbone).train()
    assert torch.equal(quiet(x), backbone(x))
    legacy = PETLModel(backbone, frozen_in_train_mode=True).train()
    assert not torch.allclose(legacy(x), legacy(x), atol=1e-3)
    assert torch.equal(legacy.eval()(x), backbone(x))
    for probability in ("hidden_dropout", "attention_dropout"):
        assert getattr(backbone.config, probability) > 0
    masked = []
    projection = legacy.model.model.encoder.pos_conv_embed
    vector = legacy.model.model.masked_spec_embed
    projection.register_forward_hook(
        lambda module, args, output: masked.append((args[0] == vector).all(-1))
    )
    legacy.train()(x)
    assert masked[0].any() and not masked[0].all()
    legacy.eval()(x)
    assert not masked[1].any()
    plain = Wav2Vec2(folders["group"], max_length=100)
    unmasked = PETLModel(plain, frozen_in_train_mode=True).train()
    unmasked(x)
    assert not plain.config.apply_spec_augment
