"""Tests of the data preparation for VoxCeleb1, on the miniature."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest
from speechbrain_petl.dataio.trials import read_trials
from speechbrain_petl.demo.corpora import write_small

from speechbrain.dataio.encoder import CategoricalEncoder

RECIPE = Path(__file__).parents[2] / "recipes" / "VoxCeleb"


def load_recipe():
    """Imports the script by its path, as recipes are no package."""
    spec = importlib.util.spec_from_file_location(
        "voxceleb_petl_prepare", RECIPE / "voxceleb_petl_prepare.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


recipe = load_recipe()


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """The miniature, to be read only: 8 speakers, and 4 that are tested."""
    return write_small("voxceleb", tmp_path_factory.mktemp("c") / "VoxCeleb1")


@pytest.fixture
def corpus(original, tmp_path):
    """A copy to be damaged."""
    return Path(shutil.copytree(original, tmp_path / "VoxCeleb1"))


def prepare(corpus, folder, **options):
    """Prepares with two speakers held out."""
    options = {"valid_speakers": 2, **options}
    recipe.prepare_voxceleb(str(corpus), str(folder), **options)


def read(folder):
    """The manifests in a folder."""
    return {
        split: json.loads((folder / f"{split}.json").read_text("utf-8"))
        for split in ("train", "valid", "test")
    }


def speakers_of(manifest):
    """The speakers in a manifest."""
    return {entry["label"] for entry in manifest.values()}


def test_no_speaker_is_in_two_splits(original, tmp_path, caplog):
    prepare(original, tmp_path)
    manifests = read(tmp_path)
    speakers = {split: speakers_of(m) for split, m in manifests.items()}
    assert [len(speakers[s]) for s in ("train", "valid", "test")] == [6, 2, 4]
    assert len(set().union(*speakers.values())) == 12
    assert speakers["test"] == {f"id{k}" for k in range(10270, 10274)}
    # Only those who train are classes.
    encoder = CategoricalEncoder.from_saved(tmp_path / "label_encoder.txt")
    assert list(encoder.lab2ind) == sorted(speakers["train"])
    name, entry = next(iter(manifests["train"].items()))
    assert entry["wav"] == (
        "{data_root}/wav/" + name.replace("--", "/") + ".wav"
    )
    for counted in (
        "8 of 1211 training speakers, 48 of 148642 training utterances",
        "4 of 40 test speakers, 24 of 4874 test utterances",
        "119 of 37611 trials of veri_test2.txt, 60 of 18802 target trials",
    ):
        assert counted in caplog.text


def test_trials_name_what_the_manifests_have(original, tmp_path, caplog):
    prepare(original, tmp_path, trials="veri_test.txt")
    manifests = read(tmp_path)
    for split, size in (("valid", 66), ("test", 120)):
        trials = read_trials(tmp_path / f"{split}_trials.csv")
        assert len(trials) == size
        named = {name for trial in trials for name in trial[1:]}
        assert named == set(manifests[split])
        for target, first, second in trials:
            one, other = (manifests[split][n]["label"] for n in (first, second))
            assert target == (one == other)
    assert "120 of 37720 trials of veri_test.txt, 60 of 18860" in caplog.text


def test_a_draw_is_its_seed(original, tmp_path):
    drawn = {}
    for name, draw in (("a", 0), ("b", 0), ("c", 1)):
        prepare(original, tmp_path / name, valid_trials=10, draw=draw)
        file = tmp_path / name / "valid_trials.csv"
        drawn[name] = file.read_text()
        trials = read_trials(file)
        assert [t.target for t in trials] == [True] * 5 + [False] * 5
    assert drawn["a"] == drawn["b"] != drawn["c"]


def test_all_train_where_nobody_is_held_out(original, tmp_path):
    prepare(original, tmp_path)
    prepare(original, tmp_path, valid_speakers=0)
    manifests = read(tmp_path)
    assert manifests["valid"] == {} and len(manifests["train"]) == 48
    # Not left over from the run before.
    assert not (tmp_path / "valid_trials.csv").exists()


def test_tested_speakers_never_train_when_the_list_is_cut(corpus, tmp_path):
    lines = (corpus / "veri_test.txt").read_text().splitlines()
    kept = [line for line in lines if "id10273" not in line]
    (corpus / "veri_test.txt").write_text("\n".join(kept))
    prepare(corpus, tmp_path / "save", trials="veri_test.txt")
    manifests = read(tmp_path / "save")
    assert not any("id10273" in speakers_of(m) for m in manifests.values())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 a/b/c.wav", "line 1: .* is no trial"),
        ("2 {one} {one}", "line 1: .* is no trial"),
        ("0 {one} {one}", "0 for .*which the names of the speakers contradict"),
        ("1 id10270/gone/1.wav id10270/x/2.wav", r"gone/1.wav \(missing\)"),
        ("1 ../x/1.wav ../x/1.wav", "not inside that folder"),
    ],
)
def test_a_damaged_list_is_refused(corpus, tmp_path, line, message):
    file = corpus / "veri_test2.txt"
    one = file.read_text().split()[1]
    file.write_text(line.format(one=one) + "\n" + file.read_text())
    with pytest.raises(ValueError, match=message) as error:
        prepare(corpus, tmp_path / "save")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "save").exists()


def test_a_list_of_one_kind_is_refused(corpus, tmp_path):
    file = corpus / "veri_test2.txt"
    lines = [x for x in file.read_text().splitlines() if x.startswith("1")]
    file.write_text("\n".join(lines))
    with pytest.raises(ValueError, match="60 target trials among 60"):
        prepare(corpus, tmp_path / "save")


def test_a_list_that_tests_the_training_speakers_is_refused(corpus, tmp_path):
    files = sorted(
        str(path.relative_to(corpus / "wav"))
        for path in corpus.glob("wav/*/*/00001.wav")
    )
    lines = [f"0 {a} {b}" for a, b in zip(files[::2], files[2::2])]
    lines += [f"1 {a} {a}" for a in files]
    (corpus / "list_test_all.txt").write_text("\n".join(lines))
    with pytest.raises(ValueError, match="tests all but 0 of the 12 speakers"):
        prepare(corpus, tmp_path / "save", trials="list_test_all.txt")


@pytest.mark.parametrize("n_speakers", [-1, 1, 7, 40])
def test_too_few_speakers_are_left(original, tmp_path, n_speakers):
    with pytest.raises(ValueError, match=f"{n_speakers} of 8 training speak"):
        prepare(original, tmp_path / "save", valid_speakers=n_speakers)


def test_bad_audio_takes_its_trials_along(corpus, tmp_path, caplog):
    lost = (corpus / "veri_test2.txt").read_text().split()[1]
    (corpus / "wav" / lost).write_bytes(b"no audio")
    with pytest.raises(ValueError, match=r"\(unreadable\)"):
        prepare(corpus, tmp_path / "save")
    prepare(corpus, tmp_path / "save", skip_bad_audio=True)
    trials = read_trials(tmp_path / "save" / "test_trials.csv")
    left_out = 119 - len(trials)
    assert left_out and recipe.identify(lost) not in str(trials)
    assert f"without {left_out} of 119 trials of the test" in caplog.text


def test_what_is_not_there_is_said(corpus, tmp_path):
    with pytest.raises(FileNotFoundError, match="robots.ox.ac.uk"):
        prepare(tmp_path / "gone", tmp_path)
    with pytest.raises(FileNotFoundError, match="has no veri_test3.txt"):
        prepare(corpus, tmp_path, trials="veri_test3.txt")
    wav = next(corpus.glob("wav/*/*/*.wav"))
    shutil.move(wav, corpus / "wav" / "stray.wav")
    with pytest.raises(ValueError, match="but holds stray.wav: restore"):
        prepare(corpus, tmp_path)
    shutil.rmtree(corpus / "wav")
    (corpus / "wav").mkdir()
    with pytest.raises(ValueError, match="but holds no audio file"):
        prepare(corpus, tmp_path)
