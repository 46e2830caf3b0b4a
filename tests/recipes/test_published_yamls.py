"""IPET as published: what its YAMLs are, and the table of its counts."""

import runpy
from pathlib import Path

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain_petl.lobes.heads import EmbeddingHead
from transformers import ASTConfig, ASTModel, Wav2Vec2Config, Wav2Vec2Model

ROOT = Path(__file__).parents[2]
FILES = runpy.run_path(str(ROOT / "tools" / "published_yamls.py"))["files"]()
YAMLS = sorted(ROOT.glob("recipes/*/hparams/published/*.yaml"))
# Of arXiv 2211.02227's table: YAML, corpus, classes, prompts, width; what its
# method and its head train.
TABLE = [
    ("ipet", "ESC50", 50, 4, 32, 636_288, 39_986),
    ("ipet", "FSD50K", 200, 32, 32, 894_336, 155_336),
    ("ipet", "GTZAN", 10, 8, 64, 1_263_360, 9_226),
    ("ipet", "GoogleSpeechCommands", 35, 4, 128, 2_406_912, 28_451),
    ("ipet", "VoxCeleb", 1211, 4, 64, 1_226_496, 254_907),
    ("wav2vec2_ipet", "ESC50", 50, 128, 128, 3_549_696, 79_922),
    ("wav2vec2_ipet", "FSD50K", 200, 128, 64, 2_369_280, 310_472),
    ("wav2vec2_ipet", "GTZAN", 10, 128, 64, 2_369_280, 18_442),
    ("wav2vec2_ipet", "GoogleSpeechCommands", 35, 64, 64, 1_779_456, 56_867),
    ("wav2vec2_ipet", "VoxCeleb", 1211, 64, 128, 2_959_872, 353_211),
]


def test_they_are_what_the_script_writes():
    assert sorted(FILES) == YAMLS
    for path, text in FILES.items():
        assert path.read_text() == text, "run tools/published_yamls.py"


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Base models whose FFNs, which nothing trained depends on, are narrow."""
    root = tmp_path_factory.mktemp("base")
    sizes = {"hidden_size": 768, "intermediate_size": 8}
    with torch.device("meta"):
        models = {
            "ipet": ASTModel(ASTConfig(**sizes)),
            "wav2vec2_ipet": Wav2Vec2Model(
                Wav2Vec2Config(
                    **sizes,
                    conv_dim=(8,) * 7,
                    num_conv_pos_embeddings=2,
                )
            ),
        }
    for name, model in models.items():
        model.to_empty(device="cpu").apply(zero).save_pretrained(root / name)
    return root


def zero(module):
    """Sets what an empty model holds."""
    for tensor in (*module.parameters(False), *module.buffers(False)):
        tensor.data.zero_()


def make(yaml, source, folder, **overrides):
    """What a YAML makes."""
    overrides |= {"data_folder": "none", "output_folder": str(folder)}
    return load_hyperpyyaml(
        yaml.read_text(), {**overrides, "source": str(source)}
    )


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[1]}-{row[0]}")
def test_counts_are_the_tables(row, sources, tmp_path):
    name, corpus, classes, prompts, width, method, head = row
    yaml = ROOT / "recipes" / corpus / "hparams/published" / f"{name}.yaml"
    sizes = {"n_prompts": prompts, "reduction_rate": 768 // width}
    if yaml in FILES:
        assert f"\nn_prompts: {prompts}\n" in yaml.read_text()
        sizes = {}
    else:  # a corpus without this YAML: another one's, with its sizes
        yaml = ROOT / "recipes/ESC50/hparams/published" / f"{name}.yaml"
    hparams = make(yaml, sources / name, tmp_path, **sizes)
    counts = hparams["encoder"].count_parameters()
    assert counts == {"method": method, "norm": 0, "norm_final": 0}
    made = hparams["classifier"](hparams["backbone"].embedding_size, classes)
    if corpus == "VoxCeleb":
        assert isinstance(made, EmbeddingHead)
    assert sum(p.numel() for p in made.parameters()) == head


@pytest.mark.parametrize("name", ["ipet", "wav2vec2_ipet"])
def test_its_optimizer_schedule_and_head(name, sources, tmp_path):
    yaml = ROOT / "recipes" / "GTZAN" / "hparams/published" / f"{name}.yaml"
    hparams = make(yaml, sources / name, tmp_path)
    head = hparams["classifier"](hparams["backbone"].embedding_size, 10)
    assert head.dense.bias.unique().tolist() == pytest.approx([1e-4])
    bound = (6 / (head.dense.in_features + 10)) ** 0.5
    assert 0.9 * bound < head.dense.weight.abs().max() <= bound
    optimizer = hparams["opt_class"](head.parameters())
    assert type(optimizer) is torch.optim.Adam
    options = optimizer.defaults
    assert tuple(options["betas"]) == (0.95, 0.999) and options["eps"] == 1e-8
    assert options["weight_decay"] == 5e-7
    epochs, rates = hparams["number_of_epochs"], []
    assert epochs == {"ipet": 30, "wav2vec2_ipet": 40}[name]
    schedule = hparams["lr_annealing"](optimizer, T_max=2 * epochs)
    for _ in range(2 * epochs):
        optimizer.step()
        schedule.step()
        rates.append(optimizer.param_groups[0]["lr"] / hparams["lr"])
    assert rates[8:11] == pytest.approx([1, 0.85, 0.85]), "after epoch 5"
    assert rates[-1] == pytest.approx(0.85**21) and rates[49] == rates[-1]
    assert hparams["mixup"] == 0.3 and hparams["windows"] == 10


def test_what_its_code_does_otherwise_is_named(sources, tmp_path):
    """At step 0 the corrected one adds prompts only, the code's much more."""
    yaml = ROOT / "recipes/ESC50/hparams/published/wav2vec2_ipet.yaml"
    legacy = {
        "adapter_residual": True,
        "identity": False,
        "frozen_in_train_mode": True,
        "time_masking": True,
        "longer": "random_always",
    }
    source = sources / "wav2vec2_ipet"
    ours, code = (
        make(yaml, source, tmp_path),
        make(yaml, source, tmp_path, **legacy),
    )
    up = "ffn.0.adapter.up.weight"
    found = {
        key: [t for n, t in made["encoder"].delta().items() if "up.weight" in n]
        for key, made in {"ours": ours, "code": code}.items()
    }
    assert len(found["ours"]) == len(found["code"]) == 12, up
    assert not any(t.any() for t in found["ours"])
    assert all(t.any() for t in found["code"])
    assert ours["encoder"].train().model.training is False
    assert code["encoder"].train().model.training is True
    assert not ours["backbone"].config.apply_spec_augment
    assert code["backbone"].config.apply_spec_augment
