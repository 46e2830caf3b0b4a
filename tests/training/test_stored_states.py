"""A linear probe on stored embeddings is the whole model's, but faster."""

import json
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.conformer import Conformer
from speechbrain_petl.lobes.features import ASTFbank
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.split_encoder import SplitEncoder
from speechbrain_petl.training.stored_states import store_states, varies
from torch import nn
from torchaudio.transforms import SpecAugment

from speechbrain.dataio.batch import PaddedBatch
from speechbrain.dataio.dataloader import SaveableDataLoader

RECIPES = Path(__file__).parents[2] / "recipes"
LOG_MEL = ASTFbank.log_mel


def clips(n=12):
    """Waveforms of several lengths."""
    generator = torch.Generator().manual_seed(0)
    return [
        {
            "id": f"c{i}",
            "sig": torch.rand(9000 + 500 * i, generator=generator) - 0.5,
            "target": i % 3,
        }
        for i in range(n)
    ]


def run(folder, pooling, stored, unfrozen=("norm_final",), steps=18):
    """Losses of each step, and all that was trained."""
    torch.manual_seed(0)
    ast = AST(folder, max_length=48, pooling=pooling)
    split = SplitEncoder(PETLModel(ast, unfrozen=unfrozen), cache=True)
    head, fbank = nn.Linear(192, 3), ASTFbank(48)
    trained = [
        p for m in (split, head) for p in m.parameters() if p.requires_grad
    ]
    optimizer = torch.optim.AdamW(trained, lr=0.01)
    data = clips()

    def loader():
        return SaveableDataLoader(data, 4, collate_fn=PaddedBatch)

    if stored:
        data = store_states(loader(), lambda *sig: split.frozen(fbank(*sig)))
    losses = []
    while len(losses) < steps:
        for batch in loader():
            inputs = batch.states.data if stored else fbank(*batch.sig)
            logits = head(split.train()(inputs, stored=stored))
            loss = nn.functional.cross_entropy(logits, batch.target)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.detach())
    return torch.stack(losses), trained


@pytest.mark.parametrize("pooling", ["mean", "cls_dist", "patches"])
def test_losses_and_weights_are_those_of_the_whole_model(tiny_folder, pooling):
    losses, weights = run(tiny_folder, pooling, stored=False)
    assert losses[-3:].mean() < 0.9 * losses[:3].mean(), "it trains"
    same, same_weights = run(tiny_folder, pooling, stored=True)
    torch.testing.assert_close(same, losses, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(same_weights, weights, rtol=1e-5, atol=1e-5)
    assert len(weights) == 4, "the final LayerNorm and the head"


def test_a_head_alone_trains_as_well(tiny_folder):
    losses, weights = run(tiny_folder, "mean", stored=False, unfrozen=())
    same, same_weights = run(tiny_folder, "mean", stored=True, unfrozen=())
    torch.testing.assert_close(same, losses, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(same_weights, weights, rtol=1e-5, atol=1e-5)
    assert len(weights) == 2


def test_gradient_checkpointing_is_no_obstacle(tiny_ast):
    model = PETLModel(
        tiny_ast, unfrozen=["norm_final"], gradient_checkpointing=True
    )
    feats = torch.rand(2, 100, 128)
    split = SplitEncoder(model, cache=True)
    whole = split(feats)
    torch.testing.assert_close(split(split.frozen(feats), stored=True), whole)
    assert split.count_parameters() == model.count_parameters()


@pytest.mark.parametrize(
    "insertions, unfrozen, name",
    [
        ({"ffn": partial(Parallel, adapter=Bottleneck)}, [], "ffn.0.adapter"),
        (
            {"norm_final": partial(Parallel, adapter=Bottleneck)},
            [],
            "norm_final.adapter",
        ),
        (
            {"ffn[2]": partial(Parallel, adapter=Conformer)},
            ["norm_final"],
            "ffn.2.adapter",
        ),
        ({}, ["norm_final", "norm_ffn"], "norm_ffn.0.bias"),
        ({}, ["*"], "ffn_down.0.bias"),
    ],
)
def test_what_trains_below_is_named(tiny_ast, insertions, unfrozen, name):
    model = PETLModel(tiny_ast, insertions, unfrozen)
    with pytest.raises(ValueError, match=rf"'{name}.* cache_embeddings to F"):
        SplitEncoder(model, cache=True)
    SplitEncoder(model)


def test_what_is_stored_needs_no_audio(tiny_ast):
    split = SplitEncoder(
        PETLModel(tiny_ast, unfrozen=["norm_final"]), cache=True
    )
    fbank, seen = ASTFbank(100), []

    def states_of(wavs, lens):
        seen.append(len(wavs))
        return split.frozen(fbank(wavs, lens))

    loader = SaveableDataLoader(clips(5), 2, collate_fn=PaddedBatch)
    stored = store_states(loader, states_of)
    assert seen == [2, 2, 1]
    assert [stored[i]["id"] for i in range(5)] == [f"c{i}" for i in range(5)]
    assert [stored[i]["target"] for i in range(5)] == [0, 1, 2, 0, 1]
    assert stored[0]["states"].shape == (192,)
    assert stored[0].keys() == {"id", "states", "target"}


def test_an_augmentation_is_recognised():
    before = torch.get_rng_state()
    assert varies(SpecAugment(1, 2, 1, 0, zero_masking=True))
    assert varies(SpecAugment(1, 0, 1, 2))
    assert not varies(SpecAugment(1, 0, 1, 0, zero_masking=True))
    assert not varies(nn.Identity())
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    "recipe, options, stored",
    [
        ("GoogleSpeechCommands", [], 1),
        ("ESC50", ["--freq_mask", "0", "--time_mask", "0"], 1),
        ("ESC50", [], 0),
    ],
)
def test_a_recipe_gives_the_same(
    recipe, options, stored, arguments, train, tmp_path, monkeypatch
):
    yaml = RECIPES / recipe / "hparams" / "linear.yaml"
    found, runs = [], []
    monkeypatch.setattr(
        ASTFbank,
        "log_mel",
        lambda *args: runs.append(len(args[1])) or LOG_MEL(*args),
    )
    for cached in (False, True):
        runs.clear()
        folder = tmp_path / str(cached)
        more = ["--precision", "fp32", "--number_of_epochs", "4"]
        more += ["--cache_embeddings", str(cached), *options]
        train(yaml, arguments(recipe, folder, *more))
        results = json.loads((folder / "results.json").read_text())
        found.append(
            {
                "log": (folder / "train_log.txt").read_text(),
                "loss": results["loss"],
                "clips": sum(runs),
                **load_file(folder / "artefact" / "petl.safetensors"),
            }
        )
    whole, cached = found
    assert whole.pop("log") == cached.pop("log")
    share = cached.pop("clips") / whole.pop("clips")
    assert share < 0.5 if stored else 0.5 < share < 0.95
    torch.testing.assert_close(cached, whole, rtol=1e-5, atol=1e-5)
