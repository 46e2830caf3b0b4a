"""Files and folders appear whole or not at all."""

import pytest
from speechbrain_petl.utils.files import (
    climbs_out,
    read_json,
    replacing,
    replacing_folder,
    swapping_folder,
)


def test_dots_that_do_not_climb():
    assert not climbs_out("./audio/a..b.wav")


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    file = tmp_path / "train.json"
    file.write_text("old", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        with replacing(file) as temporary:
            temporary.write_text("ne", encoding="utf-8")
            raise KeyboardInterrupt
    assert file.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("content", ["", "[]", "{", "null", "[" * 99999])
def test_a_damaged_json_file_is_named(content, tmp_path):
    file = tmp_path / "a.json"
    file.write_text(content)
    with pytest.raises(ValueError, match="a.json' is damaged"):
        read_json(file)


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path):
    target = tmp_path / "out"
    for text in ("one", "two"):
        with swapping_folder(target) as new:
            (new / "a").write_text(text)
        assert (target / "a").read_text() == text
    with pytest.raises(KeyboardInterrupt):
        with swapping_folder(target) as new:
            (new / "a").write_text("three")
            raise KeyboardInterrupt
    assert (target / "a").read_text() == "two"
    assert list(tmp_path.iterdir()) == [target]


OURS = '{"format": "speechbrain-petl"}'


def replace(folder):
    """Writes a folder of one kind."""
    with replacing_folder(folder, "a.json", ["a.json", "*.bin"]) as new:
        (new / "a.json").write_text(OURS)
        (new / "x.bin").write_text("x")


def test_an_absent_empty_or_own_folder_is_replaced(tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "absent", tmp_path / "empty"):
        replace(folder)
        (folder / "y.bin").write_text("of an earlier one")
        replace(folder)
        assert {p.name for p in folder.iterdir()} == {"a.json", "x.bin"}


@pytest.mark.parametrize(
    "files, named",
    [
        ({"notes.txt": ""}, "notes.txt"),
        ({"a.json": OURS, "notes.txt": ""}, "notes.txt"),
        ({"x.bin": ""}, "x.bin"),
        ({"a.json": "{}"}, "a.json"),
        ({"a.json": "[" * 9999}, "a.json"),
        ({"a.json": OURS, "x.bin/inner": ""}, "x.bin"),
    ],
    ids="foreign beside unmarked another damaged folder".split(),
)
@pytest.mark.fault("a folder to replace that holds something else")
def test_nothing_else_is_ever_replaced(files, named, tmp_path, monkeypatch):
    home = tmp_path / "home"
    for name, content in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(content)
    before = sorted(home.rglob("*"))
    monkeypatch.chdir(home)
    (tmp_path / "link").symlink_to(home)
    for folder in (home, ".", tmp_path / "link"):
        with pytest.raises(ValueError, match=f"holds '{named}', which is not"):
            replace(folder)
    assert sorted(home.rglob("*")) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home", "link"]
    with pytest.raises(ValueError, match="is a file"):
        replace(next(p for p in before if p.is_file()))


def test_what_appears_meanwhile_is_kept(tmp_path):
    target = tmp_path / "out"
    with pytest.raises(ValueError, match="holds 'notes.txt'"):
        with replacing_folder(target, "a.json", ["a.json"]) as new:
            (new / "a.json").write_text(OURS)
            target.mkdir()
            (target / "notes.txt").write_text("mine")
    assert (target / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "foreign",
    ["b/notes.txt", "b/deep/x.bin", "c/x.bin", "x.bin", "b/x.bin/y", "b/link"],
)
def test_only_known_files_of_folders_are_replaced(foreign, tmp_path):
    target = tmp_path / "out"
    names = ["a.json", "b/*.bin", "b/link"]
    for _ in range(2):
        with replacing_folder(target, "a.json", names) as new:
            (new / "a.json").write_text(OURS)
            (new / "b").mkdir()
            (new / "b" / "one.bin").write_text("1")
    bad = target / foreign
    bad.parent.mkdir(parents=True, exist_ok=True)
    if foreign == "b/link":
        bad.symlink_to(tmp_path, target_is_directory=True)
    else:
        bad.write_text("mine")
    with pytest.raises(ValueError, match="holds '"):
        with replacing_folder(target, "a.json", names):
            pass
    assert bad.exists()
