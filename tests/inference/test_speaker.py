"""PETLSpeaker on an artefact: SpeechBrain's verbs, and the run's own scores."""

import json
from pathlib import Path

import pytest
import soundfile
import torch
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.inference import AdapterBank, PETLClassifier, PETLSpeaker
from speechbrain_petl.training.embeddings import embed_utterances
from speechbrain_petl.training.metrics.scoring import segment_scores

from speechbrain.inference.speaker import SpeakerRecognition

YAML = Path(__file__).parents[2] / "recipes/VoxCeleb/hparams/ipet.yaml"


@pytest.fixture(scope="module")
def made(write_speaker):
    """One artefact."""
    return write_speaker()


@pytest.fixture(scope="module")
def speaker(made, tiny_folder):
    """The same, loaded as data."""
    return PETLSpeaker.from_artefact(made[0], backbone=tiny_folder)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Three sounds of different lengths, rates and channels."""
    folder, found = tmp_path_factory.mktemp("sounds"), []
    for k, (rate, seconds) in enumerate(
        [(16000, 1.4), (8000, 0.3), (16000, 1)]
    ):
        generator = torch.Generator().manual_seed(k)
        noise = torch.randn(int(rate * seconds), 1 + k % 2, generator=generator)
        found.append(str(folder / f"{k}.wav"))
        soundfile.write(found[-1], 0.1 * noise.numpy(), rate)
    return found


WAVS, LENS = 0.1 * torch.randn(2, 20000), torch.tensor([1.0, 0.6])


def test_scores_are_those_of_the_run(made, speaker):
    _, hparams = made
    encoder = hparams["encoder"].eval()
    windows = embed_utterances(
        WAVS,
        LENS,
        hparams["compute_features"],
        lambda feats, lens: hparams["head"](encoder(feats, lens)),
    )
    rows = torch.tensor([0]), torch.tensor([1])
    with torch.no_grad():
        wanted = segment_scores(windows, *rows)
    one, other = WAVS[:1], WAVS[1:, :12000]
    score, same = speaker.verify_batch(one, other)
    torch.testing.assert_close(score, wanted, atol=1e-5, rtol=1e-4)
    assert same.tolist() == [score.item() > -0.75]


def test_padding_and_company_change_nothing(speaker):
    both = speaker.encode_batch(WAVS, LENS)
    alone = speaker.encode_batch(WAVS[1, :12000])
    assert both.shape == (2, 1, 16)
    torch.testing.assert_close(both[1:], alone, atol=1e-5, rtol=1e-4)
    unit = speaker.encode_batch(WAVS, LENS, normalize=True)
    torch.testing.assert_close(unit.norm(dim=-1), torch.ones(2, 1))


def test_files(speaker, files):
    assert isinstance(speaker, SpeakerRecognition)
    score, same = speaker.verify_files(files[0], files[0])
    assert score.item() == pytest.approx(
        -speaker_spread(speaker, files[0]), abs=1e-4
    )
    assert score.shape == same.shape == ()
    other, _ = speaker.verify_files(files[0], files[1])
    back, _ = speaker.verify_files(files[1], files[0])
    assert other.item() == pytest.approx(back.item(), abs=1e-5)
    assert speaker.verify_files(*files[:2], threshold=-9.0)[1]
    assert not speaker.verify_files(*files[:2], threshold=0.1)[1]


def speaker_spread(speaker, path):
    """The mean distance between an utterance's own windows."""
    wave, _ = soundfile.read(path, dtype="float32")
    windows = speaker._windows(torch.from_numpy(wave))[0]
    unit = torch.nn.functional.normalize(windows, dim=-1)
    return torch.cdist(unit, unit).mean().item()


def test_speechbrains_own_way(made, speaker, files, tiny_folder):
    loaded = PETLSpeaker.from_hparams(
        str(made[0]), savedir=None, overrides={"source": tiny_folder}
    )
    assert loaded.threshold == -0.75
    mine, theirs = (s.verify_files(*files[:2])[0] for s in (speaker, loaded))
    torch.testing.assert_close(mine, theirs)
    plain = SpeakerRecognition.from_hparams(
        str(made[0]), savedir=None, overrides={"source": tiny_folder}
    )
    assert plain.encode_batch(WAVS[:, :8000]).shape[-1] == 16


def test_an_artefact_is_for_one_task(
    made, make_artefact, tmp_path, tiny_folder
):
    with pytest.raises(ValueError, match="for embedding, and not for class"):
        PETLClassifier.from_artefact(made[0], backbone=tiny_folder)
    with pytest.raises(ValueError, match="use it with PETLSpeaker"):
        AdapterBank(tiny_folder).add("who", made[0])
    make_artefact(tmp_path / "classes")
    with pytest.raises(
        ValueError, match="not for embedding: use it with PETLC"
    ):
        PETLSpeaker.from_artefact(tmp_path / "classes", backbone=tiny_folder)


def test_without_validation_a_threshold_has_to_be_given(
    write_speaker, files, tiny_folder
):
    folder, _ = write_speaker(None, threshold=None, scoring="cosine")
    speaker = PETLSpeaker.from_artefact(folder, backbone=tiny_folder)
    with pytest.raises(ValueError, match="no threshold.*give one"):
        speaker.verify_files(*files[:2])
    score, same = speaker.verify_files(files[0], files[0], threshold=0.9)
    assert score.item() == pytest.approx(1.0) and same


def test_bad_input(speaker, files, tmp_path):
    with pytest.raises(ValueError, match="There is no file"):
        speaker.verify_files(files[0], str(tmp_path / "gone.wav"))
    with pytest.raises(ValueError, match="There are 2 and 1 utterances"):
        speaker.verify_batch(WAVS, WAVS[:1])
    with pytest.raises(ValueError, match="clip 0 of the batch is not finite"):
        speaker.encode_batch(torch.full((1, 8000), 1e30))


def test_the_threshold_of_both_files_is_one(made, tiny_folder):
    """The YAML's, which SpeechBrain reads, is that of the metadata."""
    folder = made[0]
    metadata = json.loads((folder / "artefact.json").read_text())
    assert metadata["labels"] == [] and metadata["decision"] == {
        "threshold": -0.75,
        "scoring": "segments",
    }
    yaml = (folder / "hyperparams.yaml").read_text()
    (folder / "hyperparams.yaml").write_text(yaml.replace("-0.75", "-0.05"))
    try:
        with pytest.raises(ValueError, match="'decision' is not what"):
            Artefact.open(folder)
    finally:
        (folder / "hyperparams.yaml").write_text(yaml)
    trained = Artefact.open(folder).load(
        Artefact.open(folder).backbone(tiny_folder)
    )
    assert set(trained.classifier.state_dict()) == {
        "embed.weight",
        "embed.bias",
    }


def test_the_command(made, files, tiny_folder, capsys, tmp_path):
    from speechbrain_petl.cli.main import main

    options = [str(made[0]), *files, "--backbone", tiny_folder]
    assert main(["verify-speakers", *options, "--threshold", "-9"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all("\tsame speaker\t" in one for one in lines)
    gone = str(tmp_path / "gone.wav")
    options = [str(made[0]), files[0], gone, "--backbone", tiny_folder]
    assert main(["verify-speakers", *options]) == 2, "before it loads anything"
    assert "There is no file" in capsys.readouterr().err
    options = [*options[:2], *files[1:], gone, *options[3:]]
    assert main(["verify-speakers", *options, "--json"]) == 1
    told = capsys.readouterr()
    assert "1 of 3 files failed" in told.err and "There is no file" in told.err
    assert main(["verify", str(made[0]), "--backbone", tiny_folder]) == 0
    assert "16 numbers an embedding" in capsys.readouterr().out
    assert main(["inspect", str(made[0])]) == 0
    assert "embedding, threshold -0.75" in capsys.readouterr().out
    merged = [str(made[0]), str(tmp_path / "m"), "--backbone", tiny_folder]
    assert main(["merge", *merged]) == 2
    assert "not for classification" in capsys.readouterr().err
