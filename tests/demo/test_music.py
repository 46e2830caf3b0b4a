"""A corpus of music in the layout of GTZAN."""

import pytest
import soundfile
from speechbrain_petl.demo.music import GENRES

from tests.demo.miniatures import write


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
