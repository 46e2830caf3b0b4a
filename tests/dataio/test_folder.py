"""Folders with a subfolder for each class."""

import os

import pytest
from speechbrain_petl.dataio.folder import read_folder


@pytest.fixture
def make(tmp_path):
    """``make(*paths)``: a folder with empty files."""

    def touch(*paths):
        """Creates the files and returns the folder."""
        for path in paths:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).touch()
        return tmp_path

    return touch


def listed(folder):
    """Path, label and split of each sound, where nothing is wrong."""
    listing = read_folder(folder)
    assert listing.faults == [] and not listing.tagging
    return [(s.path, *s.labels, s.split) for s in listing.sounds]


def test_subfolders_are_classes(make):
    folder = make(
        "dog/2.WAV",
        "dog/garden/1.mp3",
        "cat/1.flac",
        "cat/notes.txt",
        "cat/.hidden.wav",
        ".git/x.wav",
        "__MACOSX/dog/2.wav",
    )
    assert listed(folder) == [
        ("cat/1.flac", "cat", None),
        ("dog/2.WAV", "dog", None),
        ("dog/garden/1.mp3", "dog", None),
    ]


def test_splits_may_come_first(make):
    folder = make("Train/dog/1.wav", "Train/cat/1.wav", "test/dog/2.wav")
    assert listed(folder) == [
        ("Train/cat/1.wav", "cat", "train"),
        ("Train/dog/1.wav", "dog", "train"),
        ("test/dog/2.wav", "dog", "test"),
    ]


def test_a_class_may_be_called_train(make):
    folder = make("train/1.wav", "bus/1.wav")
    assert [row[1] for row in listed(folder)] == ["bus", "train"]
    folder = make("train/steam/1.wav", "bus/old/1.wav")
    assert {row[1] for row in listed(folder)} == {"bus", "train"}


def test_files_outside_of_the_classes(make):
    listing = read_folder(make("1.wav", "dog/2.wav", "cat/3.wav"))
    assert len(listing.sounds) == 2
    (fault,) = listing.faults
    assert "1 audio files lie in no class's subfolder: 1.wav" in fault


def test_nothing_there(make):
    (fault,) = read_folder(make("readme.txt")).faults
    assert "no audio file" in fault


def test_subfolders_without_audio_are_named(make):
    listing = read_folder(make("dog/1.wav", "cat/1.wav", "docs/a.txt"))
    assert listing.faults == []
    assert "docs" in listing.notes[0]


@pytest.mark.skipif(os.name == "nt", reason="names that Windows refuses")
def test_hostile_names(make):
    folder = make(
        "dog/a\nb.wav",
        "dog/C:\\x.wav",
        "dog/x\\..\\..\\y.wav",
        "cat/$(rm -rf ~).wav",
        "cat/{data_root.__class__}.wav",
        "cat/<img src=x onerror=alert(1)>.wav",
    )
    os.close(os.open(os.fsencode(folder) + b"/cat/\xff.wav", os.O_CREAT))
    listing = read_folder(folder)
    assert len(listing.sounds) == 4, "what is only strange is kept"
    said = "\n".join(listing.faults)
    assert len(listing.faults) == 3
    assert "has a control character" in said and "not in UTF-8" in said
    assert "is no relative path" in said
    said.encode()  # can be shown


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_links_are_followed_once(make, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "1.wav").touch()
    folder = make("cat/1.wav")
    (folder / "dog").symlink_to(elsewhere)
    (elsewhere / "loop").symlink_to(folder)
    assert listed(folder) == [
        ("cat/1.wav", "cat", None),
        ("dog/1.wav", "dog", None),
    ]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="root may enter every folder",
)
def test_a_folder_that_cannot_be_entered(make):
    folder = make("dog/1.wav", "cat/1.wav")
    (folder / "dog").chmod(0)
    with pytest.raises(ValueError, match="dog cannot be entered"):
        read_folder(folder)
    (folder / "dog").chmod(0o700)
