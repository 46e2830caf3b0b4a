"""A corpus of speakers and trials in the layout of VoxCeleb1."""

import pytest

from tests.demo.miniatures import write


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
