"""The procedural sounds, the corpora made of them, and the miniature AST."""

import csv
import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from speechbrain_petl.demo import corpora
from speechbrain_petl.demo.acted import EMOTIONS
from speechbrain_petl.demo.folders import MARKER, whole_folder
from speechbrain_petl.demo.music import GENRES
from speechbrain_petl.demo.sounds import DEMO, word
from speechbrain_petl.demo.tagged import LEAVES, MIDS

MODEL = Path(corpora.__file__).parent / "ast-mini"
sys.path.append(str(Path(__file__).parents[2] / "tools" / "ast_mini"))
from pretrain import PRETRAIN  # noqa: E402

TINY = {
    "esc50": {"clips_per_class_and_fold": 1, "classes": 3, "seconds": 0.2},
    "urbansound8k": {"classes": 2, "folds": 3, "seconds": 0.2},
    "audio_folder": {"clips_per_class": 4, "classes": 2, "seconds": 0.2},
    "speech_commands": {"words": 3, "speakers": 5, "takes": 1},
    "fluent_speech_commands": {"intents": 2, "speakers": 3, "seconds": 0.3},
    "gtzan": {"genres": 2, "every": 30, "seconds": 0.2},
    "iemocap": {"sessions": 2, "takes": 1, "seconds": 0.2},
    "fsd50k": {"train": 6, "valid": 6, "test": 6, "seconds": 0.2},
    "voxceleb": {"speakers": 2, "test_speakers": 2, "seconds": 0.2},
}


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write(name, folder, **options):
    return corpora.MINIATURES[name][0](folder, **{**TINY[name], **options})


def test_demo_and_pretrain_share_nothing():
    assert len(DEMO) == 10 and len(PRETRAIN) >= 40
    assert not set(DEMO) & set(PRETRAIN)
    assert not set(DEMO.values()) & set(PRETRAIN.values())


@pytest.mark.parametrize("name", [*DEMO, *PRETRAIN])
def test_waveforms(name):
    family = {**DEMO, **PRETRAIN}[name]
    waves = [
        family(np.random.default_rng(seed), 16000, 16000) for seed in (0, 1, 0)
    ]
    for wave in waves:
        assert wave.dtype == np.float32 and wave.shape == (16000,)
        assert np.isfinite(wave).all()
        assert 0.01 < np.abs(wave).max() <= 1.0
    assert np.array_equal(waves[0], waves[2])
    assert not np.array_equal(waves[0], waves[1])
    short = family(np.random.default_rng(0), 400, 16000)
    assert short.shape == (400,) and np.abs(short).max() <= 1.0


def test_words():
    wave = word(np.random.default_rng(0), 34, 8001, 16000)
    assert wave.shape == (8001,) and np.isfinite(wave).all()
    with pytest.raises(ValueError, match="word 100"):
        word(np.random.default_rng(0), 100, 8000, 16000)


@pytest.mark.parametrize("name", TINY)
def test_deterministic_by_seed(name, tmp_path):
    first = digests(write(name, tmp_path / "a", seed=1))
    assert first == digests(write(name, tmp_path / "b", seed=1))
    assert first != digests(write(name, tmp_path / "c", seed=2))


def test_only_own_folders_are_replaced(tmp_path):
    folder = write("esc50", tmp_path / "corpus")
    write("esc50", folder, classes=1)
    assert len(table(folder / "meta" / "esc50.csv")) == 5
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    write("esc50", foreign)  # empty: nothing is lost
    (foreign / MARKER).unlink()
    before = digests(foreign)
    with pytest.raises(FileExistsError, match="left alone"):
        write("esc50", foreign)
    assert digests(foreign) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["corpus", "foreign"]


def test_nothing_is_left_of_a_failed_writing(tmp_path):
    with pytest.raises(RuntimeError, match="half way"):
        with whole_folder(tmp_path / "corpus") as new:
            (new / "clip.wav").touch()
            raise RuntimeError("half way")
    assert list(tmp_path.iterdir()) == []


def test_esc50(tmp_path):
    folder = write("esc50", tmp_path / "corpus", clips_per_class_and_fold=2)
    rows = table(folder / "meta" / "esc50.csv")
    columns = "filename,fold,target,category,esc10,src_file,take"
    assert list(rows[0]) == columns.split(",")
    assert len(rows) == 2 * 3 * 5
    assert {row["fold"] for row in rows} == set("12345")
    assert {row["esc10"] for row in rows} == {"True", "False"}
    assert {row["category"] for row in rows} == set(list(DEMO)[:3])
    for row in rows:
        fold, source, take, target = row["filename"][:-4].split("-")
        assert (fold, target) == (row["fold"], row["target"])
        assert (source, take) == (row["src_file"], row["take"])
        info = soundfile.info(folder / "audio" / row["filename"])
        assert (info.frames, info.samplerate) == (3200, 16000)
        assert (info.channels, info.subtype) == (1, "PCM_16")
    with pytest.raises(ValueError, match="11 classes"):
        write("esc50", tmp_path / "more", classes=11)


def test_urbansound8k(tmp_path):
    folder = write("urbansound8k", tmp_path / "corpus")
    rows = table(folder / "metadata" / "UrbanSound8K.csv")
    columns = "slice_file_name,fsID,start,end,salience,fold,classID,class"
    assert list(rows[0]) == columns.split(",")
    assert len(rows) == 4 * 2 * 3
    folds_of = {}
    for row in rows:
        name = row["slice_file_name"]
        assert name.startswith(f"{row['fsID']}-{row['classID']}-")
        info = soundfile.info(folder / "audio" / f"fold{row['fold']}" / name)
        length = float(row["end"]) - float(row["start"])
        assert length == pytest.approx(info.duration, abs=1e-4)
        folds_of.setdefault(row["fsID"], set()).add(row["fold"])
    # Slices of one recording stay in one fold.
    assert all(len(folds) == 1 for folds in folds_of.values())


def test_speech_commands(tmp_path):
    folder = write("speech_commands", tmp_path / "corpus", takes=2)
    clips = sorted(
        str(path.relative_to(folder)) for path in folder.glob("[a-z]*/*.wav")
    )
    assert len(clips) == 3 * 5 * 2
    assert {clip.split("/")[0] for clip in clips} == {"yes", "no", "up"}
    lists = [
        (folder / f"{name}_list.txt").read_text().splitlines()
        for name in ("validation", "testing")
    ]
    speakers = [{clip[-20:-4].split("/")[-1][:8] for clip in x} for x in lists]
    assert all(len(x) == 6 and set(x) <= set(clips) for x in lists)
    assert all(len(who) == 1 for who in speakers)
    assert not speakers[0] & speakers[1]
    lengths = [soundfile.info(folder / clip).frames for clip in clips]
    assert max(lengths) == 16000 and min(lengths) < 16000
    assert len(list(folder.glob("_background_noise_/*.wav"))) == 2


def test_fluent_speech_commands(tmp_path):
    folder = write("fluent_speech_commands", tmp_path / "corpus")
    speakers, columns = set(), "path,speakerId,transcription,action,object"
    for part in ("train", "valid", "test"):
        path = folder / "data" / f"{part}_data.csv"
        assert path.read_text().startswith(f",{columns},location\n")
        assert '"That\'s loud, decrease the volume"' in path.read_text()
        rows = table(path)
        assert [row[""] for row in rows] == [str(k) for k in range(len(rows))]
        for row in rows:
            parent = f"wavs/speakers/{row['speakerId']}/"
            assert row["path"].startswith(parent)
            assert soundfile.info(folder / row["path"]).channels == 1
        own = {row["speakerId"] for row in rows}
        assert own and not own & speakers
        speakers |= own


def test_gtzan(tmp_path):
    folder = write("gtzan", tmp_path / "corpus", genres=6, every=9)
    files = sorted(folder.glob("genres_original/*/*"))
    assert len(files) == 6 * 12
    assert {path.parent.name for path in files} == set(GENRES[:6])
    for path in files:
        assert path.stem.startswith(f"{path.parent.name}.000")
        if path.stem == "jazz.00054":
            with pytest.raises(soundfile.LibsndfileError):
                soundfile.info(path)
        else:
            info = soundfile.info(path)
            assert (info.frames, info.samplerate) == (3200, 16000)
    assert {p.suffix for p in files if p.parent.name == "blues"} == {".au"}
    with pytest.raises(ValueError, match="11 genres"):
        write("gtzan", tmp_path / "more", genres=11)


def test_iemocap(tmp_path):
    folder = write("iemocap", tmp_path / "corpus")
    evaluations = sorted(folder.glob("Session?/dialog/EmoEvaluation/Ses*.txt"))
    assert len(evaluations) == 2 * 2
    named = []
    for file in evaluations:
        lines = file.read_text().splitlines()
        assert lines[0].startswith("%")
        for line in lines:
            if line.startswith("["):
                time, name, emotion, ratings = line.split("\t")
                assert name.startswith(file.stem) and emotion in EMOTIONS
                wav = f"sentences/wav/{file.stem}/{name}.wav"
                info = soundfile.info(file.parents[2] / wav)
                start, end = map(float, time.strip("[]").split(" - "))
                assert end - start == pytest.approx(info.duration, abs=1e-3)
                named.append(name)
    assert len(set(named)) == len(list(folder.rglob("*.wav"))) == 4 * 14
    assert len(list(folder.rglob("._*"))) == 2
    with pytest.raises(ValueError, match="6 sessions"):
        write("iemocap", tmp_path / "more", sessions=6)


def test_fsd50k(tmp_path):
    folder = write("fsd50k", tmp_path / "corpus")
    truth = folder / "FSD50K.ground_truth"
    vocabulary = list(csv.reader((truth / "vocabulary.csv").open()))
    assert [row[0] for row in vocabulary] == [str(i) for i in range(12)]
    names = [row[1] for row in vocabulary]
    assert names == sorted(names) and {row[2] for row in vocabulary} == set(
        MIDS.values()
    )
    splits, several = [], 0
    for part in ("dev", "eval"):
        for row in table(truth / f"{part}.csv"):
            labels = row["labels"].split(",")
            assert [MIDS[label] for label in labels] == row["mids"].split(",")
            for leaf, *ancestors in LEAVES:
                assert leaf not in labels or set(ancestors) <= set(labels)
            several += sum(leaf[0] in labels for leaf in LEAVES) > 1
            audio = folder / f"FSD50K.{part}_audio" / f"{row['fname']}.wav"
            assert 0.03 < soundfile.info(audio).duration <= 0.2
            splits.append(row.get("split", "test"))
    assert [splits.count(s) for s in ("train", "val", "test")] == [6, 6, 6]
    assert several


def test_voxceleb(tmp_path):
    folder = write("voxceleb", tmp_path / "corpus")
    files = {
        str(path.relative_to(folder / "wav"))
        for path in folder.glob("wav/id*/*/*.wav")
    }
    assert len(files) == 4 * 2 * 3
    lines = (folder / "veri_test.txt").read_text().splitlines()
    assert len(lines) == len(set(lines)) == 2 * 2 * 15
    for line in lines:
        label, first, second = line.split()
        assert {first, second} <= files and first != second
        speakers = [name.split("/")[0] for name in (first, second)]
        assert label == str(int(speakers[0] == speakers[1]))
        assert set(speakers) <= {"id10270", "id10271"}
    cleaned = (folder / "veri_test2.txt").read_text().splitlines()
    assert cleaned == lines[:-1]
    with pytest.raises(ValueError, match="1 tested"):
        write("voxceleb", tmp_path / "more", test_speakers=1)


def test_every_miniature_is_tried_here():
    assert set(TINY) == set(corpora.MINIATURES)


def test_a_miniature_that_does_not_exist(tmp_path):
    with pytest.raises(ValueError, match="'esc-50'; did you mean esc50"):
        corpora.write_small("esc-50", tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()


def test_command_line(tmp_path, capsys):
    folder = tmp_path / "corpus"
    options = "--classes 1 --folds 2 --clips_per_class_and_fold 1 --seconds .1"
    corpora.main(["esc50", str(folder), *options.split()])
    assert capsys.readouterr().out.strip() == str(folder)
    assert len(table(folder / "meta" / "esc50.csv")) == 2


def test_packaged_model():
    transformers = pytest.importorskip("transformers")
    assert (MODEL / "model.safetensors").stat().st_size < 1_000_000
    model = transformers.ASTModel.from_pretrained(
        MODEL, dtype=torch.float32, local_files_only=True
    )
    assert all(torch.isfinite(p).all() for p in model.parameters())
    frames = model.config.max_length
    with torch.no_grad():
        tokens = model(torch.randn(2, frames, 128)).last_hidden_state
    assert tokens.shape == (2, 2 + 8 * frames // 16, model.config.hidden_size)
    assert torch.isfinite(tokens).all()
