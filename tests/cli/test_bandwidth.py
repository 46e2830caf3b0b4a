"""Files that lack the frequencies a model was trained on are told of."""

import numpy as np
import soundfile
from speechbrain_petl.cli.bandwidth import trained_rate, watch


def test_the_first_is_named_and_all_are_counted(tmp_path, capsys):
    for name, rate in (("a", 16000), ("b", 8000), ("c", 4000), ("d", 44100)):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(100), rate)
    (tmp_path / "e.wav").write_text("no audio")
    paths = [str(tmp_path / f"{name}.wav") for name in "abcdef"]
    assert list(watch(paths, 16000)) == paths
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 and "b.wav' is sampled at 8000 Hz" in said[0]
    assert "trained on 16000 Hz: nothing above 4000 Hz" in said[0]
    assert said[1] == "Warning: 2 files are like that."


def test_a_model_of_telephone_speech_is_content_with_it(tmp_path, capsys):
    soundfile.write(tmp_path / "a.wav", np.zeros(100), 8000)
    data = {"source_rate": 8000}
    metadata = {"features": {"sample_rate": 16000}, "training": {"data": data}}
    list(watch([str(tmp_path / "a.wav")], trained_rate(metadata)))
    assert capsys.readouterr().err == ""
