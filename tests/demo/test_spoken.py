"""Corpora of words and commands."""

import soundfile

from tests.demo.miniatures import table, write


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
