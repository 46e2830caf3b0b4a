"""A corpus of acted emotions in the layout of IEMOCAP."""

import pytest
import soundfile
from speechbrain_petl.demo.acted import EMOTIONS

from tests.demo.miniatures import write


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
