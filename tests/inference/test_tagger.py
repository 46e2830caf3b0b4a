"""Artefacts of taggers: labels above their thresholds, in every interface."""

import json

import pytest
import soundfile
import torch
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.cli.main import main
from speechbrain_petl.dataio.windows import cut
from speechbrain_petl.inference import AdapterBank, PETLClassifier
from speechbrain_petl.integrations.onnx import export_program
from speechbrain_petl.integrations.transformers import problem_type

from speechbrain.inference.interfaces import foreign_class

LABELS = ["dog", "cat", "rain"]


def noise(n, seed=0):
    """A waveform [n]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, generator=generator) - 0.5


@pytest.fixture(scope="module")
def make(make_artefact, tmp_path_factory):
    """Writes a tagger whose classes have given thresholds."""
    root = tmp_path_factory.mktemp("taggers")

    def write(name, thresholds, **facts):
        facts = {
            "task": "tagging",
            "decision": {"thresholds": thresholds},
            "metrics": {"mAP": 0.5, "n_test": 9},
            "training": {
                "corpus": "FSD50K",
                "selects": "mAP",
                "direction": "max",
                "hyperparameters": {"lr": 0.1},
            },
            **facts,
        }
        if not (root / name).exists():
            make_artefact(root / name, "ipet", LABELS, facts)
        return str(root / name)

    return write


@pytest.fixture(scope="module")
def probabilities(make, tiny_folder):
    """What the model says of a clip."""
    tagger = PETLClassifier.from_artefact(
        make("all", [0.0] * 3), backbone=tiny_folder
    )
    return tagger.classify_batch(noise(7000))[0][0].exp()


@pytest.fixture(scope="module")
def folder(make, probabilities):
    """A tagger that gives that clip all labels but the likeliest."""
    thresholds = (probabilities - 0.01).tolist()
    thresholds[int(probabilities.argmax())] += 0.02
    return make("two", thresholds)


@pytest.fixture(scope="module")
def tagger(folder, tiny_folder):
    """It, loaded as data."""
    return PETLClassifier.from_artefact(folder, backbone=tiny_folder)


def wanted(probabilities):
    """Labels of that clip, the likeliest first."""
    order = probabilities.argsort(descending=True).tolist()
    return [LABELS[i] for i in order[1:]]


def test_labels_above_thresholds(tagger, probabilities):
    out, score, index, labels = tagger.classify_batch(
        torch.stack([noise(7000), noise(7000)])
    )
    assert labels == [wanted(probabilities)] * 2
    assert torch.equal(score, out.max(dim=1).values)
    assert torch.equal(index, out.argmax(dim=1))
    logits = tagger.mods.classifier[0](tagger.encode_batch(noise(7000)))
    torch.testing.assert_close(out[0].exp(), logits[0].sigmoid())


def test_all_and_none(make, tiny_folder):
    for thresholds, number in (([-0.1] * 3, 3), ([1.0] * 3, 0)):
        folder = make(f"every-{number}", thresholds)
        tagger = PETLClassifier.from_artefact(folder, backbone=tiny_folder)
        assert len(tagger.classify_batch(noise(7000))[3][0]) == number


def test_speechbrains_own_ways_of_loading(folder, tagger, tiny_folder):
    expected = tagger.classify_batch(noise(7000))
    overrides = {"source": tiny_folder}
    for loaded in (
        PETLClassifier.from_hparams(folder, overrides=overrides),
        foreign_class(
            folder,
            pymodule_file="custom.py",
            classname="CustomInterface",
            overrides=overrides,
        ),
    ):
        found = loaded.classify_batch(noise(7000))
        assert torch.equal(found[0], expected[0]) and found[3] == expected[3]


def test_windows_of_a_long_clip_are_averaged_as_probabilities(tagger, tmp_path):
    wave = noise(16000)
    path = str(tmp_path / "long.wav")
    soundfile.write(path, wave.numpy(), 16000, "FLOAT")
    windows = cut(wave, tagger.mods.compute_features)
    assert len(windows) > 1
    out = tagger.classify_batch(windows)[0].exp().mean(dim=0)
    found = tagger.classify_file(path)[0][0].exp()
    torch.testing.assert_close(found, out)


def test_the_bank_has_taggers_and_classifiers(
    folder, tagger, make_artefact, tiny_folder, tmp_path
):
    make_artefact(tmp_path / "one", labels="xyz")
    bank = AdapterBank(tiny_folder)
    bank.add("tags", folder)
    bank.add("class", tmp_path / "one")
    wavs = torch.stack([noise(7000)] * 2)
    first, second = bank.classify_batch(wavs, tasks=["tags", "class"])
    scores, _, _, labels = tagger.classify_batch(noise(7000))
    torch.testing.assert_close(first.posteriors, scores[0])
    assert [LABELS[i] for i in first.given] == labels[0]
    assert second.given == [int(second.index)]
    assert second.posteriors.exp().sum().item() == pytest.approx(1)


@pytest.fixture
def clip(tmp_path):
    """The clip as a file."""
    path = tmp_path / "clip.wav"
    soundfile.write(path, noise(7000).numpy(), 16000, "FLOAT")
    return str(path)


def test_predict_prints_the_labels_above_their_thresholds(
    folder, make, clip, probabilities, tiny_folder, capsys
):
    base = ["--backbone", tiny_folder]
    assert main(["predict", folder, clip, *base]) == 0
    path, *cells = capsys.readouterr().out.rstrip("\n").split("\t")
    assert path == clip
    assert [cell.split(" ")[0] for cell in cells] == wanted(probabilities)
    for cell in cells:
        label, score = cell.split(" ")
        p = probabilities[LABELS.index(label)].item()
        assert float(score) == pytest.approx(p, abs=1e-3)
    assert main(["predict", folder, clip, *base, "--top", "1", "--json"]) == 0
    (best,) = json.loads(capsys.readouterr().out)["predictions"]
    assert best["label"] == LABELS[int(probabilities.argmax())]
    assert main(["predict", make("every-0", [1.0] * 3), clip, *base]) == 0
    assert capsys.readouterr().out == f"{clip}\n"


def test_a_timeline_has_all_labels_of_a_window(
    folder, clip, probabilities, tiny_folder, tmp_path, capsys
):
    command = ["predict", folder, clip, "--backbone", tiny_folder]
    assert main([*command, "--timeline", str(tmp_path / "labels")]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert {row[3] for row in rows} == set(wanted(probabilities))


def test_inspect_verify_and_the_card(folder, tiny_folder, capsys):
    assert main(["inspect", folder]) == 0
    assert "task        tagging, thresholds 0." in capsys.readouterr().out
    assert main(["verify", folder, "--backbone", tiny_folder]) == 0
    assert "3 classes" in capsys.readouterr().out
    card = (Artefact.open(folder).files["README.md"]).read_text()
    assert "tagger.classify_file" in card and "type: mAP" in card


@pytest.mark.traced
def test_exports_say_that_it_tags(make, tiny_folder, tmp_path):
    folder = make("all", [0.0] * 3)
    trained = Artefact.open(folder)
    trained = trained.load(trained.backbone(tiny_folder))
    export_program(trained, tmp_path / "tagger.pt2")
    facts = {"facts.json": ""}
    torch.export.load(tmp_path / "tagger.pt2", extra_files=facts)
    told = json.loads(facts["facts.json"])
    assert told["task"] == "tagging"
    assert json.loads(told["decision"]) == {"thresholds": [0.0] * 3}
    assert problem_type(trained) == "multi_label_classification"


@pytest.mark.parametrize(
    "decision, words",
    [
        ({}, "decision.thresholds is missing"),
        ({"thresholds": [0.5, 0.5]}, "as many, not 3 and 2"),
        (
            {"thresholds": [0.5, 0.5, 1.5]},
            r"thresholds\[2\] should be a number",
        ),
        ({"thresholds": "abc"}, "thresholds should be a list"),
        (
            {"thresholds": [0.5] * 3, "code": 1},
            "decision has the unknown key 'code'",
        ),
    ],
)
@pytest.mark.fault("an artefact of a tagger with wrong thresholds")
def test_wrong_thresholds_are_refused(decision, words, make, tmp_path):
    folder = tmp_path / "copy"
    whole = make("all", [0.0] * 3)
    folder.mkdir()
    for file in Artefact.open(whole).files.values():
        (folder / file.name).write_bytes(file.read_bytes())
    metadata = json.loads((folder / "artefact.json").read_text())
    metadata["decision"] = decision
    (folder / "artefact.json").write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match=words) as error:
        Artefact.open(folder)
    assert "\n" not in str(error.value)
