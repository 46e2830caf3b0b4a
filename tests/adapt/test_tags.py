"""Sounds with several labels each: tagging, from a table to the report."""

import json
from dataclasses import replace
from itertools import product
from shutil import copy

import pytest
import torch
from speechbrain_petl.adapt import candidates, final
from speechbrain_petl.adapt.prototypes import unpack
from speechbrain_petl.adapt.session import train_folder
from speechbrain_petl.adapt.tags import NONE, Tags
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.inference import PETLClassifier
from speechbrain_petl.training.metrics.tagging import score_tags

NAMES = ["<b>dog</b>", "rain", "siren"]


@pytest.fixture(scope="module")
def tagged(sounds_folder, tmp_path_factory):
    """A folder of sounds, and a table with none to two labels of each."""
    root = tmp_path_factory.mktemp("tagged")
    rows = ["file,label"]
    files = sorted(p for p in sounds_folder.rglob("*.*") if p.is_file())
    files = [p for p in files if p.suffix in (".wav", ".flac")]
    for number, file in enumerate(files):
        kind = sorted({p.parent.name for p in files}).index(file.parent.name)
        labels = [NAMES[:1], NAMES[:2], NAMES[1:], []][kind % 4]
        copy(file, root / f"{number}{file.suffix}")
        rows.append(f'{number}{file.suffix},"{";".join(labels)}"')
    (root / "tags.csv").write_text("\n".join(rows))
    return root


@pytest.fixture
def asked(request_for, tagged):
    """``asked(**options)``: a training on them."""

    def make(**options):
        return request_for(
            data_folder=str(tagged),
            metadata=str(tagged / "tags.csv"),
            **options,
        )

    return make


def test_a_probe_of_tags(asked, tagged, tmp_path):
    said = []
    found = train_folder(asked(), said.append)
    assert "mAP" in said[1] and "mean average precision" in said[-1].lower()
    artefact = Artefact.open(found.artefact)
    assert artefact.metadata["task"] == "tagging"
    assert artefact.metadata["training"]["selects"] == "mAP"
    assert artefact.metadata["metrics"]["mAP"] == found.score
    assert len(artefact.metadata["decision"]["thresholds"]) == 3
    assert "unknown" not in artefact.metadata
    # A clip of each kind is kept, for classes that may be added later.
    stored = artefact.metadata["prototypes"]["train"]
    kinds = set(unpack(stored, 3, Tags()).y.unique(dim=0).flatten().tolist())
    assert kinds == {0.0, 1.0}
    assert found.interval[0] <= found.score <= found.interval[1]

    # What the table of predictions says is what the artefact says.
    tagger = PETLClassifier.from_artefact(
        found.artefact, backbone=asked().source
    )
    rows = (tmp_path / "out/predictions.csv").read_text().splitlines()
    assert rows[0].startswith("id,targets,predictions,score ")
    thresholds = artefact.metadata["decision"]["thresholds"]
    for row in rows[1:]:
        cells = row.split(",")
        p, _, _, labels = tagger.classify_file(tagged / cells[0])
        scores = torch.tensor([float(cell) for cell in cells[3:]])
        assert torch.allclose(p[0].exp(), scores, atol=1e-4)
        if all(abs(s - t) > 1e-4 for s, t in zip(scores.tolist(), thresholds)):
            assert sorted(cells[2].split(";")) == sorted(labels[0] or [""])

    report = json.loads((tmp_path / "out/report.json").read_text())
    stored = final.load_test(tmp_path / "out")
    expected = score_tags(stored["test"], stored["targets"]).mean_ap
    assert report["mAP"] == pytest.approx(expected)
    assert report["confusion"] is None and report["unknown"] is None
    assert {bar["name"] for bar in report["bars"]} == set(NAMES)
    page = (tmp_path / "out/report.html").read_text()
    assert "<b>dog" not in page and "&lt;b&gt;dog" in page
    assert 'id="confusion"' not in page and 'id="unknown"' not in page
    assert f"{found.score:.3f}" in page


def test_a_search_votes_over_tags(asked, in_process, monkeypatch, tmp_path):
    monkeypatch.setattr(candidates, "LEARNERS", ())
    monkeypatch.setattr(candidates, "TRIED", (("lora", 0.005),))
    found = train_folder(asked(method="auto", vote=2), str, in_process)
    (command,) = in_process.commands
    assert {"--several_labels=True", "--loss=bce"} <= set(command)
    record = json.loads((tmp_path / "out/search.json").read_text())
    (run,) = record["runs"].values()
    assert 0 < run["score"] <= 1 and set(run["overrides"]) <= {
        "lr",
        "lora_reduction_rate",
    }
    members = [Artefact.open(path).metadata for path in found.bank]
    voted = record["test"]["voted"]
    assert [m["decision"] for m in members] == [voted["decision"]] * 2
    assert found.score == voted["metrics"]["mAP"]
    alone = Artefact.open(found.artefact).metadata
    assert alone["metrics"] == record["test"]["alone"]["metrics"]


@pytest.fixture
def more(tagged, tmp_path):
    """A table of the same sounds with one new label, for half of them."""
    rows = (tagged / "tags.csv").read_text().splitlines()[1:]
    files = [row.split(",")[0] for row in rows]
    table = tmp_path / "more.csv"
    lines = [
        f"{file},{'wind' if n % 2 else ''}" for n, file in enumerate(files)
    ]
    table.write_text("file,label\n" + "\n".join(lines))
    return table


def grown_of(asked, old, more, tmp_path, name="grown", **options):
    """Adds the sounds of a table to an artefact."""
    said = []
    found = train_folder(
        replace(
            asked(artefact=str(old), output=str(tmp_path / name), **options),
            metadata=str(more),
        ),
        said.append,
    )
    return Artefact.open(found.artefact), said


def test_a_new_tag_beside_the_old_ones(asked, more, tmp_path):
    old = train_folder(asked(), str).artefact
    before = Artefact.open(old)
    after, said = grown_of(asked, old, more, tmp_path)
    assert after.labels == [*before.labels, "wind"]
    assert after.metadata["task"] == "tagging"
    heads = [a.load(a.backbone(asked().source)) for a in (before, after)]
    # The new clips tell nothing of the old tags, whose rows and thresholds
    # stay as they were.
    rows = [head.classifier.weight[:3] for head in heads]
    assert torch.equal(*rows)
    thresholds = [a.metadata["decision"]["thresholds"] for a in (before, after)]
    assert thresholds[0] == thresholds[1][:3] and len(thresholds[1]) == 4
    told = json.loads((tmp_path / "grown/report.json").read_text())["continued"]
    assert told["before"] == pytest.approx(told["after"])
    assert told["n_old"] == 3
    assert any("mAP of the 3 classes that were there" in line for line in said)
    page = (tmp_path / "grown/report.html").read_text()
    assert "mAP of the 3 classes that were there before" in page
    # Of old clips and the new tag, and of new clips and old tags, nobody knows.
    stored = unpack(after.metadata["prototypes"]["train"], 4, Tags()).y
    is_old = stored[:, 3].isnan()
    assert is_old.any() and stored[~is_old, :3].isnan().all()
    assert not stored[is_old, :3].isnan().any()
    tagger = PETLClassifier.from_artefact(
        tmp_path / "grown/artefact", backbone=asked().source
    )
    wave = torch.zeros(1, 8000)
    assert len(tagger.classify_batch(wave)[0][0]) == 4

    # And once more, with clips that tell of one old tag, too.
    lines = more.read_text().replace("wind", "hail;rain")
    more.write_text(lines)
    last, _ = grown_of(asked, tmp_path / "grown/artefact", more, tmp_path, "c")
    assert last.labels == [*after.labels, "hail"]
    final_head = last.load(last.backbone(asked().source)).classifier
    same = (final_head.weight[:4] == heads[1].classifier.weight).all(dim=1)
    assert same.tolist() == [name != "rain" for name in after.labels]


def test_other_kinds_of_labels_are_not_added(asked, request_for, tmp_path):
    one = train_folder(request_for(output=str(tmp_path / "one")), str)
    with pytest.raises(ValueError, match="without --continue"):
        train_folder(
            asked(artefact=str(one.artefact), output=str(tmp_path / "b")), str
        )


def test_mistakes_name_what_is_missed_and_what_is_wrong():
    task, names = Tags(), ["a", "b", "c"]
    p = torch.tensor([[0.1, 0.9, 0.2], [0.8, 0.1, 0.1], [0.1, 0.1, 0.1]])
    y = torch.tensor([[1, 0, 0], [1, 0, 0], [0, 0, 1]])
    found = task.mistakes(p.double(), y, names, {"thresholds": [0.5] * 3})
    assert [one["row"] for one in found] == [0, 2]
    assert (found[0]["label"], found[0]["said"]) == ("a", "b")
    assert found[0]["of_label"] == pytest.approx(0.1)
    assert found[0]["probability"] == pytest.approx(0.9)
    assert (found[1]["label"], found[1]["said"]) == ("c", NONE)


def test_draws_are_of_each_tag():
    y = torch.tensor(list(product([0, 1], repeat=2)))
    assert Tags().members(y) == [[2, 3], [1, 3], [0]]
