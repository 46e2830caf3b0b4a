"""What a page asks, without the page."""

import threading

import pytest
from speechbrain_petl.inference.bank import AdapterBank
from speechbrain_petl.inference.serve.service import Refused, Service
from speechbrain_petl.inference.speaker import PETLSpeaker


def test_labels_are_those_of_the_bank(service, artefacts, clips, tiny_folder):
    bank = AdapterBank(tiny_folder)
    bank.add("evil", artefacts["evil"])
    (expected,) = bank.classify_file(clips["good"])
    found = service.predict(clips["good"], "evil", 2)
    assert found["heard"] == [expected.label] and "unknown" not in found
    first, second = found["predictions"]
    assert first["label"] == expected.label
    p = expected.score.exp().item()
    assert first["probability"] == pytest.approx(p, abs=1e-5)
    assert p > second["probability"]


def test_what_is_unknown_has_no_label(service, clips):
    found = service.predict(clips["good"], "plain", 3)
    assert found["unknown"] and found["heard"] == []
    assert len(found["predictions"]) == 3


def test_a_tagger_gives_several_labels(service, clips):
    found = service.predict(clips["good"], "tags", 1)
    assert set(found["heard"]) == {"bark", "siren"}
    assert len(found["predictions"]) == 1


def test_a_timeline(service, clips):
    recording, spans = service.timeline(clips["good"], "tags", hop=0.2)
    assert recording.tasks == ("tags",) and recording.name == "good.wav"
    assert {one.label for one in spans} == {"bark", "siren"}
    assert spans[0].start == 0.0 and spans[-1].end == pytest.approx(1.2)
    assert service.timeline(clips["good"], "plain").spans == []  # all unknown
    assert service.timeline(clips["good"], "plain", threshold=0.1).spans


def test_speakers(service, artefacts, clips, tiny_folder):
    speaker = PETLSpeaker.from_artefact(
        artefacts["voices"], backbone=tiny_folder
    )
    score, same = speaker.verify_files(clips["good"], clips["another"])
    found = service.compare(clips["good"], clips["another"], "voices")
    assert found == {
        "score": pytest.approx(score.item(), abs=1e-5),
        "threshold": -0.75,
        "same": bool(same),
    }
    high = service.compare(clips["good"], clips["good"], "voices", 2.0)
    assert not high["same"] and high["threshold"] == 2.0


def test_the_backbone_is_there_once(service):
    encoders = [service.banks[t][t].encoder for t in ("plain", "evil", "tags")]
    encoders.append(service.speakers["voices"].mods.embedding_model.encoder)
    frozen = [
        {p.data_ptr() for p in one.parameters() if not p.requires_grad}
        for one in encoders
    ]
    shared = set.intersection(*frozen)
    assert len(shared) > 20


@pytest.mark.parametrize(
    "ask, said",
    [
        (lambda s, c: s.predict(None, "plain"), "There is no audio: choose"),
        (
            lambda s, c: s.predict(c["text"], "plain"),
            r"'text\.wav' cannot be read as audio",
        ),
        (lambda s, c: s.predict(c["long"], "plain"), r"'long\.flac' lasts 6"),
        (
            lambda s, c: s.predict(c["large"], "plain"),
            r"'large\.wav' has 0\.8 MB",
        ),
        (lambda s, c: s.predict(c["good"], "plai"), "no task 'plai' .*did you"),
        (lambda s, c: s.predict(c["good"], "voices"), "no task 'voices' for"),
        (lambda s, c: s.predict(c["good"], "plain", 0), "top is 0"),
        (lambda s, c: s.timeline(c["good"], "plain", hop=-1.0), "hop is -1 s"),
        (
            lambda s, c: s.timeline(c["good"], "plain", hop=1e-9),
            "windows of 1.2",
        ),
        (
            lambda s, c: s.compare(c["good"], c["text"], "voices"),
            r"'text\.wav' cannot",
        ),
    ],
)
def test_refusals_are_one_sentence_without_paths(service, clips, ask, said):
    with pytest.raises(Refused, match=said) as error:
        ask(service, clips)
    text = str(error.value)
    assert "/" not in text.replace("wav, aiff", "") and "\n" not in text


def test_a_fault_of_ours_says_nothing_of_the_inside(
    service, clips, monkeypatch, caplog
):
    def broken(*args):
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(AdapterBank, "classify_file", broken)
    with pytest.raises(Refused, match="This failed, and not for what") as error:
        service.predict(clips["good"], "plain")
    assert "secret" not in str(error.value) and "secret" in caplog.text


def test_visitors_wait_for_one_another(service, clips, monkeypatch):
    inside, most = [], []
    real = AdapterBank.classify_file

    def slow(*args):
        inside.append(1)
        most.append(len(inside))
        found = real(*args)
        inside.pop()
        return found

    monkeypatch.setattr(AdapterBank, "classify_file", slow)
    alone = service.predict(clips["good"], "evil", 3)
    found = []
    threads = [
        threading.Thread(
            target=lambda: found.append(
                service.predict(clips["good"], "evil", 3)
            )
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 8 and max(most) == 1


def test_nothing_to_serve():
    with pytest.raises(ValueError, match="no artefact to serve"):
        Service({})
