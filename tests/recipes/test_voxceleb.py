"""Runs of speaker verification: what they leave, sizes, bad input."""

import csv
import json
import re
from pathlib import Path

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain_petl.inference import PETLSpeaker

ROOT = Path(__file__).parents[2]
HPARAMS = ROOT / "recipes" / "VoxCeleb" / "hparams"


@pytest.fixture
def run(arguments, train, tmp_path):
    """``run(*options)``: trains an epoch on the miniature; what it left."""

    def make(*options, yaml="linear", folder=tmp_path / "run"):
        args = arguments("VoxCeleb", folder, "--number_of_epochs", "1")
        train(HPARAMS / f"{yaml}.yaml", [*args, *options])
        return folder, json.loads((folder / "results.json").read_text())

    return make


def test_a_run_leaves_scores_and_a_speaker(run, corpora, tiny_folder):
    folder, found = run("--windows", "2", yaml="ipet")
    assert found["n_test"] == 119 and found["n_target"] == 60
    assert found["direction"] == "min" and 0 <= found["eer"] <= 1
    rows = list(csv.DictReader((folder / "scores.csv").open()))
    assert len(rows) == 119
    metadata = json.loads((folder / "artefact" / "artefact.json").read_text())
    assert metadata["task"] == "embedding" and metadata["labels"] == []
    assert metadata["decision"] == {
        "threshold": found["threshold"],
        "scoring": "segments",
    }
    assert metadata["features"]["windows"] == 2
    assert metadata["metrics"]["min_dcf"] == found["min_dcf"]
    assert set(metadata["metrics"]) >= {"eer", "valid_eer", "n_test"}
    speaker = PETLSpeaker.from_artefact(
        folder / "artefact", backbone=tiny_folder
    )
    for row in rows[:3]:
        paths = [
            str(corpora["VoxCeleb"] / "wav" / row[side].replace("--", "/"))
            for side in ("first", "second")
        ]
        score, same = speaker.verify_files(*[f"{p}.wav" for p in paths])
        assert score.item() == pytest.approx(float(row["score"]), abs=1e-4)
        assert same == (score > found["threshold"])


DEBUG = ("--debug", "--debug_persistently")


def test_options_of_scores_and_of_the_loss(run):
    _, found = run(
        *DEBUG,
        *("--scoring", "cosine", "--windows", "3"),
        *("--score_norm", "s", "--cohort_top", "3"),
        *("--cosine", "True", "--trials", "veri_test.txt"),
        *("--valid_speakers", "0", "--stored_states", "null"),
    )
    assert found["threshold"] is None and found["valid_eer"] is None
    assert found["hyperparameters"]["score_norm"] == "s"


def test_another_list_of_trials_is_another_run(run, tmp_path):
    folder, _ = run("--stored_states", "fp32")
    with pytest.raises(
        ValueError, match="holds a run of other settings: trials"
    ):
        run("--trials", "veri_test.txt", "--stored_states", "fp32")
    lists = json.loads((folder / "run.json").read_text())["data"]
    assert {"valid_trial_list", "test_trial_list"} <= set(lists)


def test_a_missing_list_is_one_sentence(arguments, train, tmp_path):
    args = arguments("VoxCeleb", tmp_path, "--trials", "gone.txt")
    with pytest.raises(FileNotFoundError, match="has no gone.txt"):
        train(HPARAMS / "linear.yaml", args)
    assert not (tmp_path / "results.json").exists()


@pytest.mark.parametrize(
    "yaml, width, head",
    [("ipet", 768, 254_907), ("wav2vec2/ipet", 1536, 353_211)],
)
def test_the_papers_head(yaml, width, head):
    """As counted in arXiv 2211.02227's code, of all 1,211 speakers."""
    text = (HPARAMS / f"{yaml}.yaml").read_text()
    block = re.search(r"\nclassifier: .*?\n\n", text, re.S)[0]
    options = "embedding_size: 128\ncosine: False\n"
    made = load_hyperpyyaml(options + block)["classifier"](width, 1211)
    assert sum(p.numel() for p in made.parameters()) == head
    assert f"\nembedding_size: {made.embed.out_features}\n" in text


@pytest.mark.slow
def test_the_papers_counts_on_wav2vec2(tmp_path):
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    Wav2Vec2Model(Wav2Vec2Config()).save_pretrained(tmp_path)
    overrides = {"data_folder": "none", "output_folder": str(tmp_path)}
    overrides["source"] = str(tmp_path)
    text = (HPARAMS / "wav2vec2" / "ipet.yaml").read_text()
    hparams = load_hyperpyyaml(text, overrides)
    assert hparams["encoder"].count_parameters()["method"] == 2_959_872
    assert hparams["backbone"].embedding_size == 1536


SCRATCH = sorted(HPARAMS.parent.glob("from_scratch/*.yaml"))


@pytest.mark.parametrize("yaml", SCRATCH, ids=lambda path: path.stem)
def test_models_from_scratch_train(yaml, corpora, train, tmp_path):
    options = {
        "data_folder": corpora["VoxCeleb"],
        "output_folder": tmp_path,
        "max_length": 32,
        "batch_size": 4,
        "num_workers": 0,
        "time_mask": 8,
        "device": "cpu",
    }
    narrow = "[32,32,32,32,32]" if "ecapa" in yaml.stem else "[8,8,8,8]"
    options["channels"] = narrow
    args = [f"--{key}={value}" for key, value in options.items()]
    args += ["--noprogressbar", "--debug", "--debug_persistently"]
    train(yaml, args)
    found = json.loads((tmp_path / "results.json").read_text())
    assert 0 <= found["eer"] <= 1 and found["best_epoch"] in (1, 2)
    assert found["trainable"]["method"] < 200_000
    assert not (tmp_path / "artefact").exists()


def test_noise_trains(run, tmp_path):
    import numpy as np
    import soundfile

    for part in ("speech", "music", "noise", "rir"):
        (tmp_path / "musan" / part).mkdir(parents=True)
        noise = np.random.default_rng(0).uniform(-0.1, 0.1, 4000)
        soundfile.write(tmp_path / "musan" / part / "a.wav", noise, 16000)
    musan = str(tmp_path / "musan")
    runs = [
        run(
            *DEBUG,
            *("--musan_folder", musan, "--rir_folder", f"{musan}/rir"),
            folder=one,
        )
        for one in (tmp_path / "a", tmp_path / "b")
    ]
    assert runs[0][1]["eer"] == runs[1][1]["eer"]
    tensors = [
        (folder / "artefact" / "petl.safetensors").read_bytes()
        for folder, _ in runs
    ]
    assert tensors[0] == tensors[1], "the seed decides on the noise"
    assert torch.get_default_dtype() == torch.float32
