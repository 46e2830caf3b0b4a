"""Training on stored states is the whole model's, but faster."""

import json
import re
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.features import ASTFbank
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.ladder import Ladder
from speechbrain_petl.lobes.learners import LAdapters, WeightedSum
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.split_encoder import SplitEncoder
from speechbrain_petl.lobes.waveforms import Waveforms
from speechbrain_petl.training.stored_dataset import clip_keys, describe
from speechbrain_petl.training.stored_options import Options
from speechbrain_petl.training.stored_states import StateStore
from torch import nn
from torchaudio.transforms import SpecAugment

from speechbrain.dataio.batch import PaddedBatch
from speechbrain.dataio.dataloader import SaveableDataLoader
from speechbrain.dataio.dataset import DynamicItemDataset

RECIPES = Path(__file__).parents[2] / "recipes"
MASKS = partial(SpecAugment, 1, 20, 1, 24, zero_masking=True)
ADAPTER = partial(Parallel, adapter=partial(Bottleneck, reduction_rate=8))


@pytest.fixture
def store_of(tiny_folder, tmp_path, monkeypatch):
    """Makes a store of a tiny model, with a cache of its own."""
    monkeypatch.setenv("SPEECHBRAIN_PETL_CACHE", str(tmp_path / "cache"))

    def make(
        augment=None, draws=None, pooling="mean", precision="fp32", **options
    ):
        ast = AST(tiny_folder, max_length=48, pooling=pooling)
        options.setdefault("unfrozen", ["norm_final"])
        torch.manual_seed(1)
        return StateStore(
            Options(precision, draws, 1.0),
            SplitEncoder(PETLModel(ast, **options)),
            ASTFbank(48),
            augment or nn.Identity(),
            ast,
            str(tmp_path),
            "cpu",
        )

    return make


@pytest.fixture
def dataset(tmp_path):
    """Waveforms of several lengths, each in a file of its own content."""
    generator = torch.Generator().manual_seed(0)
    entries = {}
    for i in range(12):
        file = tmp_path / f"{i}.wav"
        file.write_text(f"clip {i}")
        wav = torch.rand(5000 + 800 * i, generator=generator) - 0.5
        entries[f"c{i}"] = {"wav": str(file), "noise": wav, "target": i % 3}
    data = DynamicItemDataset(entries)
    data.add_dynamic_item(lambda x: x, takes="noise", provides="sig")
    data.set_output_keys(["id", "sig", "target"])
    return data


def replaced(store, dataset, training=True):
    """The dataset of states."""
    kwargs = {"batch_size": 4}
    context = torch.autocast("cpu", enabled=False)
    return store.replace(dataset, kwargs, context, "fp32", training)


def run(store, dataset, stored, epochs=4):
    """Losses of each step, and all that was trained."""
    torch.manual_seed(0)
    split, fbank = store.encoder, ASTFbank(48)
    head = nn.Linear(split.encoder.embedding_size, 3)
    trained = [
        p for m in (split, head) for p in m.parameters() if p.requires_grad
    ]
    optimizer = torch.optim.AdamW(trained, lr=0.01)
    if stored:
        dataset, _ = replaced(store, dataset)
    loader = SaveableDataLoader(dataset, 4, collate_fn=PaddedBatch)
    losses = []
    for batch in (batch for _ in range(epochs) for batch in loader):
        inputs = batch.states.data if stored else fbank(*batch.sig)
        logits = head(split.train()(inputs, stored=stored))
        loss = nn.functional.cross_entropy(logits, batch.target)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach())
    return torch.stack(losses), trained


@pytest.mark.parametrize(
    "options",
    [
        {"pooling": "mean"},
        {"pooling": "cls_dist"},
        {"pooling": "patches"},
        {"unfrozen": ()},
        {"insertions": {"ffn": ADAPTER}, "first_layer": 2},
        {"insertions": {"mhsa[1:]": ADAPTER}, "unfrozen": ["norm_ffn[1:]"]},
        {"learner": WeightedSum, "unfrozen": ()},
        {"learner": LAdapters, "unfrozen": ()},
        {"learner": partial(LAdapters, reads="tokens"), "unfrozen": ()},
        {"learner": Ladder, "unfrozen": ()},
    ],
    ids=str,
)
def test_losses_and_weights_are_those_of_the_whole_model(
    store_of, dataset, options
):
    losses, weights = run(store_of(**options), dataset, stored=False)
    assert losses[-3:].mean() < 0.95 * losses[:3].mean(), "it trains"
    same, same_weights = run(store_of(**options), dataset, stored=True)
    torch.testing.assert_close(same, losses, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(same_weights, weights, rtol=1e-4, atol=1e-4)


def test_half_the_space_costs_little(store_of, dataset):
    options = {"insertions": {"ffn": ADAPTER}, "first_layer": 2}
    losses, _ = run(store_of(**options), dataset, stored=False)
    half = store_of(precision="bf16", **options)
    same, _ = run(half, dataset, stored=True)
    torch.testing.assert_close(same, losses, rtol=0.05, atol=0.02)


def test_what_is_stored_needs_no_audio(store_of, dataset, tmp_path):
    stored, kwargs = replaced(store_of(), dataset)
    assert kwargs == {"batch_size": 4, "num_workers": 0}
    dataset.data["c3"]["noise"] = None
    assert stored[3].keys() == {"id", "states", "target"}
    assert [stored[i]["target"] for i in range(4)] == [0, 1, 2, 0]
    assert stored[3]["states"].shape == (192,)
    again, _ = replaced(store_of(), dataset)  # from the disk
    assert torch.equal(again[3]["states"], stored[3]["states"])
    (tmp_path / "3.wav").write_text("another clip")
    with pytest.raises((TypeError, AttributeError)):
        replaced(store_of(), dataset)


def test_stages_share_what_they_read_alike(store_of, dataset):
    """Clips of up to half a second; longer ones are cut, or read by windows."""
    store = store_of()
    size = store.compute_features.clip_samples
    train, _ = replaced(store, dataset)
    computed = []
    keep = store.encoder.frozen
    store.encoder.frozen = lambda x: computed.append(len(x)) or keep(x)
    valid, _ = replaced(store, dataset, training=False)
    sizes = [len(entry["noise"]) for entry in dataset.data.values()]
    long = [n for n in sizes if n > size]
    assert long and sum(computed) >= len(long)
    assert sum(computed) < len(sizes) + len(long)
    for i, n in enumerate(sizes):
        assert train[i]["states"].shape == (192,)
        assert valid[i]["states"].shape[1:] == (192,)
        if n <= size:
            assert torch.equal(valid[i]["states"][0], train[i]["states"])
    assert max(len(valid[i]["states"]) for i in range(12)) > 1


def test_clips_are_told_apart_by_content_and_part(dataset, tmp_path):
    for name in ("c0", "c1", "c2"):
        dataset.data[name]["wav"] = str(tmp_path / "0.wav")
    dataset.data["c1"] |= {"start": 5, "stop": 9}
    dataset.data["c2"] |= {"start": 0, "stop": None}
    keys = clip_keys(dataset, str(tmp_path))
    assert keys["c0"] == keys["c2"] != keys["c1"]
    assert len(set(keys.values())) == 11
    del dataset.data["c5"]["wav"]
    with pytest.raises(ValueError, match="'c5' has no 'wav'"):
        clip_keys(dataset, str(tmp_path))


def test_what_varies_is_stored_in_draws_only(store_of, dataset):
    before = torch.get_rng_state()
    assert not store_of().varies(True)
    assert store_of(MASKS()).varies(True)
    assert not store_of(MASKS()).varies(False)
    cut = store_of()
    cut.compute_features = Waveforms(48, longer="random")
    assert cut.varies(True) and not cut.varies(False)
    assert torch.equal(before, torch.get_rng_state())
    assert replaced(store_of(MASKS()), dataset) is None
    assert replaced(store_of(MASKS()), dataset, training=False) is not None
    with pytest.raises(ValueError, match="stored_draws is 3, but .* not aug"):
        replaced(store_of(draws=3), dataset)


def test_draws_are_the_same_at_each_run_and_differ(store_of, dataset):
    store = store_of(MASKS(), draws=3)
    stored, _ = replaced(store, dataset)
    assert store.record()["draws"] == 3
    found = []
    for epoch in range(1, 5):
        stored.epoch = epoch
        found.append(stored[0]["states"].clone())
    assert torch.equal(found[0], found[3])
    assert not torch.equal(found[0], found[1])
    assert not torch.equal(found[1], found[2])
    # Anew, in other batches, where the caches have nothing of it
    torch.manual_seed(7)
    other = store_of(MASKS(), draws=3)
    other.kind["anew"] = True
    context = torch.autocast("cpu", enabled=False)
    again, _ = other.replace(dataset, {"batch_size": 5}, context, "fp32", True)
    torch.testing.assert_close(again[0]["states"], found[0])
    # Another augmentation has its own.
    assert describe(MASKS()) != describe(SpecAugment(1, 10, 1, 24))


def test_states_that_do_not_give_the_models_are_refused(
    store_of, dataset, monkeypatch
):
    store = store_of(insertions={"ffn": ADAPTER}, first_layer=1)
    monkeypatch.setattr(store.encoder.cut, "finish", lambda x: x.mean(1) + 1)
    with pytest.raises(ValueError, match="do not give what the model gives"):
        replaced(store, dataset)


def counted(folder):
    """Clips computed and found, stage by stage, as a run's log has them."""
    log = (folder / "log.txt").read_text()
    found = re.findall(r"(\d+) computed, (\d+) found", log)
    return [(int(new), int(there)) for new, there in found]


@pytest.mark.parametrize(
    "recipe, yaml, options, draws",
    [
        ("GoogleSpeechCommands", "linear", [], 1),
        ("ESC50", "linear", ["--freq_mask", "0", "--time_mask", "0"], 1),
        ("ESC50", "linear", [], None),
        ("GoogleSpeechCommands", "adapter_hou_par", ["--first_layer", "2"], 1),
        ("GoogleSpeechCommands", "l_adapters", [], 1),
    ],
)
def test_a_recipe_gives_the_same(
    recipe, yaml, options, draws, arguments, train, tmp_path, monkeypatch
):
    yaml = RECIPES / recipe / "hparams" / f"{yaml}.yaml"
    monkeypatch.setenv("SPEECHBRAIN_PETL_CACHE", str(tmp_path / "cache"))
    found = []
    for i, stored in enumerate(("null", "fp32", "fp32")):
        folder = tmp_path / str(i)
        more = ["--precision", "fp32", "--number_of_epochs", "4"]
        more += ["--stored_states", stored, *options]
        train(yaml, arguments(recipe, folder, *more))
        results = json.loads((folder / "results.json").read_text())
        if stored == "fp32":
            assert results["stored"]["draws"] == draws
        found.append(
            {
                "log": (folder / "train_log.txt").read_text(),
                "loss": results["loss"],
                "clips": counted(folder),
                **load_file(folder / "artefact" / "petl.safetensors"),
            }
        )
    whole, *cached = found
    assert whole.pop("clips") == []
    for run_ in cached:
        assert whole["log"] == run_.pop("log")
    stages = 3 if draws else 2
    first, second = (run_.pop("clips") for run_ in cached)
    assert len(first) == len(second) == stages
    assert all(new and not there for new, there in first)
    # What another run has stored is there.
    assert [(there, new) for new, there in second] == first
    del whole["log"]
    torch.testing.assert_close(cached[0], whole, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(cached[1], cached[0], rtol=0, atol=0)


def test_a_recipe_stores_draws(arguments, train, tmp_path, monkeypatch):
    monkeypatch.setenv("SPEECHBRAIN_PETL_CACHE", str(tmp_path / "cache"))
    yaml = RECIPES / "ESC50/hparams/linear.yaml"
    more = ["--number_of_epochs", "3", "--stored_states", "bf16"]
    more += ["--stored_draws", "2"]
    train(yaml, arguments("ESC50", tmp_path / "run", *more))
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["stored"]["draws"] == 2
    assert results["stored"]["precision"] == "bf16"
