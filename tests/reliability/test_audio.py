"""Bad audio is found before training; whatever can be read is trained on."""

import csv
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from speechbrain_petl.demo.corpora import write_small

YAML = Path(__file__).parents[2] / "recipes/ESC50/hparams/linear.yaml"


def tone(seconds, rate=16000, channels=1):
    """A tone of 300 Hz [samples, channels]."""
    wave = 0.3 * np.sin(2 * np.pi * 300 * np.arange(int(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1)


def write(path, wave, rate=16000, **options):
    """Writes a file."""
    soundfile.write(path, wave, rate, **options)


GOOD = {
    "silence.wav": lambda p: write(p, 0 * tone(0.5)),
    "short.wav": lambda p: write(p, tone(0.01)),
    "one_sample.wav": lambda p: write(p, tone(1)[:1]),
    "ten_minutes.wav": lambda p: write(
        p, tone(600, 2000), 2000, subtype="PCM_U8"
    ),
    "8_channels.wav": lambda p: write(p, tone(0.5, channels=8)),
    "8_khz.wav": lambda p: write(p, tone(0.5, 8000), 8000),
    "192_khz.wav": lambda p: write(p, tone(0.5, 192000), 192000),
    "24_bit.wav": lambda p: write(p, tone(0.5), subtype="PCM_24"),
    "float.wav": lambda p: write(p, tone(0.5), subtype="FLOAT"),
    "8_bit.wav": lambda p: write(p, tone(0.5), subtype="PCM_U8"),
    "adpcm.wav": lambda p: write(p, tone(0.5), subtype="MS_ADPCM"),
    "lossless.flac": lambda p: write(p, tone(0.5)),
    "vorbis.ogg": lambda p: write(p, tone(0.5)),
    "layer_3.mp3": lambda p: write(p, tone(0.5)),
    "loud.wav": lambda p: write(p, 50 * tone(0.5), subtype="FLOAT"),
    "ünï çødé 声.wav": lambda p: write(p, tone(0.5)),
}


def cut(path, wave=None, keep=0.5, **options):
    """Writes a file and keeps a part of it."""
    write(path, tone(1) if wave is None else wave, **options)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])


def broken_header(path):
    """A WAV file whose format chunk is noise."""
    write(path, tone(0.5))
    data = bytearray(path.read_bytes())
    data[12:40] = bytes(range(100, 128))
    path.write_bytes(data)


def not_finite(path, value):
    """A WAV file with a sample that is no number."""
    wave = tone(0.5)
    wave[5000] = value
    write(path, wave, subtype="FLOAT")


BAD = {
    "empty.wav": (lambda p: p.write_bytes(b""), "unreadable"),
    "no_samples.wav": (lambda p: write(p, tone(0)), "empty"),
    "truncated.wav": (cut, "cut off"),
    "truncated_flac.flac": (cut, "cut off|unreadable"),
    "truncated_ogg.ogg": (cut, "cut off|unreadable"),
    "truncated_mp3.mp3": (cut, "cut off|unreadable"),
    "truncated_rf64.wav": (lambda p: cut(p, format="RF64"), "cut off"),
    "truncated_aiff.aiff": (cut, "cut off"),
    "truncated_au.au": (cut, "cut off"),
    "huge.wav": (lambda p: not_finite(p, 3e29), "out of range"),
    "text.wav": (lambda p: p.write_text("not audio " * 99), "unreadable"),
    "header.wav": (broken_header, "unreadable"),
    "nan.wav": (lambda p: not_finite(p, np.nan), "not finite"),
    "inf.wav": (lambda p: not_finite(p, -np.inf), "not finite"),
    "gone.wav": (lambda p: p.unlink(missing_ok=True), "missing"),
    "link.wav": (lambda p: p.symlink_to(p.parent / "nowhere"), "missing"),
    "folder.wav": (lambda p: p.mkdir(), "missing"),
}


@pytest.fixture
def corpus(tmp_path):
    """A corpus in a folder with spaces; ``corpus(name, fold, write)`` adds."""
    folder = write_small("esc50", tmp_path / "a corpus, with ünïcode")
    table = folder / "meta" / "esc50.csv"
    rows = list(csv.DictReader(table.open(encoding="utf-8")))

    def add(name, fold, writer):
        """Adds a file of the first class."""
        writer(folder / "audio" / name)
        rows.append({**rows[0], "filename": name, "fold": fold})
        with table.open("w", encoding="utf-8", newline="") as file:
            out = csv.DictWriter(file, rows[0])
            out.writeheader()
            out.writerows(rows)

    add.folder = folder
    return add


def with_data(args, folder):
    """The arguments with another data folder."""
    args[args.index("--data_folder") + 1] = str(folder)
    return [*args, "--number_of_epochs", "1"]


@pytest.mark.slow
def test_what_can_be_read_trains_and_is_predicted(
    corpus, arguments, train, record, tmp_path
):
    for i, (name, writer) in enumerate(GOOD.items()):
        corpus(name, 1 + i % 5, writer)
        corpus(f"again {name}", 1, writer)
        record(f"audio that is unusual: {name.split('.')[0]}, {name[-4:]}")
    train(YAML, with_data(arguments("ESC50", tmp_path / "out"), corpus.folder))
    rows = csv.DictReader((tmp_path / "out" / "predictions.csv").open())
    predicted = {row["id"]: row for row in rows}
    for name in GOOD:
        row = predicted[f"again {Path(name).stem}"]
        assert 0 < float(row["probability"]) <= 1
    log = (tmp_path / "out" / "train_log.txt").read_text()
    assert "nan" not in log


def test_what_cannot_be_read_is_listed_at_once(
    corpus, arguments, fails, train, record, tmp_path
):
    for i, (name, (writer, _)) in enumerate(BAD.items()):
        corpus(name, 1 + i % 5, writer)
        record(f"audio that cannot be used: {name}")
    args = with_data(arguments("ESC50", tmp_path / "out"), corpus.folder)
    said = fails(YAML, args)
    assert f"{len(BAD)} of {40 + len(BAD)} audio files" in said
    listed = dict(re.findall(r"audio/([\w.]+) \(([\w ]+)\)", said))
    assert len(listed) == 10 and f"and {len(BAD) - 10} more" in said
    for name, reason in listed.items():
        assert re.fullmatch(BAD[name][1], reason), (name, reason)
    assert not (tmp_path / "out" / "manifest").exists()

    train(YAML, [*args, "--skip_bad_audio", "True"])
    used = {}
    for split in ("train", "valid", "test"):
        manifest = tmp_path / "out" / "manifest" / f"{split}.json"
        used |= json.loads(manifest.read_text())
    assert len(used) == 40
    assert (tmp_path / "out" / "results.json").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(corpus, arguments, fails, record, tmp_path):
    record("audio without permission")

    def locked(path):
        write(path, tone(0.5))
        path.chmod(0)

    corpus("locked.wav", 1, locked)
    args = with_data(arguments("ESC50", tmp_path / "out"), corpus.folder)
    assert "locked.wav (unreadable)" in fails(YAML, args)


def test_a_file_that_vanishes_after_preparation(
    corpus, arguments, fails, record, tmp_path, monkeypatch
):
    record("audio that vanishes during training")
    monkeypatch.setattr(
        "speechbrain_petl.dataio.manifests.check_audio",
        lambda folder, paths, skip: dict.fromkeys(paths, 1.0),
    )
    corpus("gone.wav", 3, lambda path: None)
    args = with_data(arguments("ESC50", tmp_path / "out"), corpus.folder)
    said = fails(YAML, args)
    assert "gone.wav" in said
