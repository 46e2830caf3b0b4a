"""What is heard when."""

import csv
import json
import tracemalloc
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile
import torch
from speechbrain_petl.inference import label_files
from speechbrain_petl.inference.bank import AdapterBank
from speechbrain_petl.inference.timeline import Recording, Span, merge
from speechbrain_petl.utils.spectrogram import RANGE_DB

EVIL = '<script>alert("1")</script>\t&'


@pytest.fixture(scope="module")
def bank(make_artefact, tiny_folder, tmp_path_factory):
    """A task that reads 0.48 s."""
    root = tmp_path_factory.mktemp("artefacts")
    make_artefact(root / "a", "adapter_hou_par", "abc")
    bank = AdapterBank(tiny_folder)
    bank.add("", root / "a")
    return bank


def write(path, seconds, rate=16000):
    """Writes noise that grows louder."""
    n = round(seconds * rate)
    wave = np.random.default_rng(0).normal(size=n) * np.linspace(0.001, 0.3, n)
    soundfile.write(path, wave, rate)
    return str(path)


def test_each_window_is_classified_as_by_itself(bank, tmp_path):
    path = write(tmp_path / "a.wav", 5.0)
    recording = Recording(path, bank, hop=0.1, window=0.4)
    found = list(recording.windows())
    starts = [one.start for one in found]
    assert starts[:3] == pytest.approx([0.0, 0.1, 0.2])
    assert found[-1].end == pytest.approx(5.0) and len(found) == 47
    wave = torch.from_numpy(soundfile.read(path, dtype="float32")[0])
    for number in (0, 20, 46):
        start = round(starts[number] * 16000)
        (alone,) = bank.classify_batch(
            wave[None, start : start + 6400], None, ""
        )
        assert found[number].label == alone.label
        p = alone.score.exp().item()
        assert found[number].probability == pytest.approx(p, abs=1e-4)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_other_rates_and_clips_that_are_short(bank, rate, tmp_path):
    short = Recording(write(tmp_path / "s.wav", 0.2, rate), bank)
    (only,) = short.windows()
    assert (only.start, only.end) == (0.0, pytest.approx(0.2))
    longer = Recording(write(tmp_path / "l.wav", 3.0, rate), bank, hop=0.25)
    found = list(longer.windows())
    assert found[-1].end == pytest.approx(3.0, abs=1e-3)
    steps = np.diff([one.start for one in found])
    assert (steps <= 0.25 + 1e-6).all()


def test_the_memory_does_not_grow_with_the_recording(
    bank, tmp_path, monkeypatch
):
    """The model is left out: what is measured is how much is read at once."""
    monkeypatch.setattr(Recording, "_classify", lambda self, parts, starts: [])
    peaks = []
    for minutes in (2, 10):
        path = write(tmp_path / "a.wav", 60 * minutes, 4000)
        recording = Recording(path, bank, hop=0.48)
        tracemalloc.start()
        list(recording.windows())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def test_the_picture_grows_louder_to_the_right(bank, tmp_path):
    recording = Recording(write(tmp_path / "a.wav", 60.0), bank, hop=0.48)
    list(recording.windows())
    level = recording.picture.mean(axis=0)
    assert level[:200].mean() < level[500:700].mean() < level[-200:].mean()
    assert recording.picture.max() == pytest.approx(0.0, abs=1e-6)
    assert recording.picture.min() >= -RANGE_DB


@pytest.mark.parametrize(
    "options", [{"hop": 0.0001, "window": -1}, {"hop": 5.0}, {"hop": -1.0}]
)
def test_numbers_that_cannot_be_meant(bank, options, tmp_path):
    path = write(tmp_path / "a.wav", 1.0)
    with pytest.raises(ValueError, match="give positive numbers"):
        Recording(path, bank, **options)
    (tmp_path / "b.wav").write_bytes(b"none")
    with pytest.raises(ValueError, match="b.wav' cannot be read as audio"):
        Recording(str(tmp_path / "b.wav"), bank)


def test_neighbors_are_joined():
    windows = [
        Span("", 0.0, 2.0, "a", 0.9),
        Span("", 1.0, 3.0, "b", 0.8),
        Span("", 2.0, 4.0, "a", 0.95),
        Span("", 3.0, 5.0, "b", 0.1),
        Span("", 9.0, 11.0, "b", 0.7),
    ]
    assert merge(windows, 0.5) == [
        Span("", 0.0, 4.0, "a", 0.95),
        Span("", 1.0, 3.0, "b", 0.8),
        Span("", 9.0, 11.0, "b", 0.7),
    ]
    assert len(merge(windows, 0.0)) == 3
    assert merge(windows, 0.5, gap=6.0)[1] == Span("", 1.0, 11.0, "b", 0.8)


def test_label_files(bank, tmp_path):
    path = write(tmp_path / "a & <b>.wav", 3.0)
    recording = Recording(path, bank)
    list(recording.windows())
    spans = [Span("", 0.0, 1.5, EVIL, 0.9), Span("", 2.0, 3.0, "犬", 0.75)]
    files = label_files.write_labels(tmp_path / "out", "a", recording, spans)
    table, data, audacity, raven, picture = (
        f.read_text("utf-8") for f in files
    )

    rows = list(csv.DictReader(table.splitlines()))
    assert [row["label"] for row in rows] == [EVIL, "犬"]
    assert rows[0]["end"] == "1.500" and rows[0]["file"] == path
    spans_again = json.loads(data)["spans"]
    assert spans_again[1] == {
        **{"start": 2.0, "end": 3.0, "label": "犬", "probability": 0.75}
    }
    lines = [line.split("\t") for line in audacity.splitlines()]
    assert [len(line) for line in lines] == [3, 3] and lines[1][2] == "犬"
    lines = [line.split("\t") for line in raven.splitlines()]
    assert {len(line) for line in lines} == {9}
    assert lines[0][3] == "Begin Time (s)" and lines[2][0] == "2"
    root = ElementTree.fromstring(picture)
    kinds = {node.tag.rpartition("}")[2] for node in root.iter()}
    assert kinds == {"svg", "rect", "text", "image", "title"}
    assert any("alert" in (node.text or "") for node in root.iter())
