"""A training on a folder of sounds, from the first step to the report."""

import json
import re
from dataclasses import replace

import pytest
import soundfile
import torch
from speechbrain_petl.adapt import (
    adapt,
    candidates,
    embeddings,
    final,
    search,
    session,
)
from speechbrain_petl.adapt.session import train_folder
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.inference import PETLClassifier

WIDTHS = ("reduction_rate", "lora_reduction_rate")


def test_a_linear_probe(request_for, sounds_folder, tmp_path):
    request, said = request_for(), []
    before = sorted(sounds_folder.rglob("*"))
    found = train_folder(request, said.append)
    assert sorted(sounds_folder.rglob("*")) == before, "the data are only read"
    assert found.artefact == tmp_path / "out" / "artefact"
    assert 0 <= found.interval[0] <= found.score <= found.interval[1] <= 1
    assert "of the validation clips" in said[1] and "test clips" in said[-1]

    artefact = Artefact.open(found.artefact)
    assert artefact.metadata["metrics"]["accuracy"] == found.score
    assert artefact.metadata["metrics"]["n_test"] == found.n_test
    assert 0 < artefact.metadata["unknown"]["threshold"] <= 1
    rate = soundfile.info(next(sounds_folder.rglob("*.wav"))).samplerate
    assert artefact.metadata["training"]["data"] == {
        "folder": sounds_folder.name,
        "source_rate": rate,
    }
    classifier = PETLClassifier.from_artefact(
        found.artefact, backbone=request.source
    )
    rows = (tmp_path / "out/predictions.csv").read_text().splitlines()[1:]
    for row in rows:
        name, _, guess, probability = row.rsplit(",", 3)
        _, score, _, label = classifier.classify_file(sounds_folder / name)
        assert label == [guess]
        assert score.exp().item() == pytest.approx(float(probability), abs=1e-4)

    # Again: nothing is done anew, and the test split is left alone.
    tested = (tmp_path / "out" / final.TEST).stat().st_mtime_ns
    assert train_folder(request, said.append)[:5] == found[:5]
    assert (tmp_path / "out" / final.TEST).stat().st_mtime_ns == tested


def test_other_settings_or_data_are_refused(
    request_for, sounds_folder, tmp_path
):
    train_folder(request_for(), str)
    report = (tmp_path / "out/report.html").read_bytes()
    with pytest.raises(ValueError, match="seed is 1234 there and 1 here"):
        train_folder(request_for(seed=1), str)
    table = tmp_path / "some.csv"
    names = [p.relative_to(sounds_folder) for p in sounds_folder.rglob("*.wav")]
    rows = [f"{name},{name.parts[0]}\n" for name in sorted(names)]
    table.write_text("file,label\n" + "".join(rows))
    with pytest.raises(ValueError, match="holds a training of other data"):
        train_folder(request_for(metadata=str(table)), str)
    assert (tmp_path / "out/report.html").read_bytes() == report
    assert not (tmp_path / "out/.manifest-new").exists()


def test_a_search(request_for, in_process, monkeypatch, tmp_path):
    tried = (("adapter_hou_par", 0.005), ("lora", 0.005))
    monkeypatch.setattr(candidates, "LEARNERS", ())
    monkeypatch.setattr(candidates, "TRIED", tried)
    request = request_for(method="auto", vote=2, params=20_000)
    said = []
    found = train_folder(request, said.append, in_process)
    assert len(in_process.commands) == 2
    for command in in_process.commands:
        options = dict(o[2:].split("=", 1) for o in command[3:] if "=" in o)
        assert options["test_manifest"] == options["manifest_folder"] + (
            "/valid.json"
        ), "no run of the search sees the test split"
    assert [path.name[0] for path in found.bank] == ["1", "2"]
    record = json.loads((tmp_path / "out/search.json").read_text())
    assert record["round_1"]["epochs"] == 1 and "round_2" not in record
    assert all(run["parameters"] <= 20_000 for run in record["runs"].values())
    overrides = [run["overrides"] for run in record["runs"].values()]
    assert all(set(one) <= {"lr", *WIDTHS} for one in overrides)
    members = record["test"]["members"]
    assert len(members) == 2
    tensors = final.load_test(tmp_path / "out")
    assert torch.allclose(tensors["test"].sum(dim=1), torch.tensor(1.0))
    # The best on the validation split is kept, whatever the test says.
    best = max([record["probe"], *record["runs"].values()], key=search.worth)
    assert members[0]["folder"] == best["folder"]


def test_an_interrupted_search_goes_on(
    request_for, in_process, monkeypatch, tmp_path
):
    tried = (("adapter_hou_par", 0.005), ("lora", 0.005))
    monkeypatch.setattr(candidates, "LEARNERS", ())
    monkeypatch.setattr(candidates, "TRIED", tried)
    request = request_for(method="auto")

    def interrupted(job, timeout):
        """Is stopped in the second run."""
        if in_process.commands:
            return "interrupted", 0.0
        return in_process(job, timeout)

    with pytest.raises(KeyboardInterrupt):
        train_folder(request, str, interrupted)
    assert not (tmp_path / "out/report.html").exists()
    train_folder(request, str, in_process)
    yamls = [re.sub(r".*/", "", c[2]) for c in in_process.commands]
    assert yamls == ["adapter_hou_par.yaml", "lora.yaml"]


def test_too_many_clips_are_told_before_they_are_read(
    request_for, monkeypatch, tmp_path
):
    monkeypatch.setattr(embeddings, "FEW", 10)
    said = []
    train_folder(request_for(minutes=1e-4), said.append)
    (told,) = [line for line in said if "the backbone takes" in line]
    assert "and --minutes is 0.0001: a linear probe is trained" in told
    assert said.index(told) < [line[:6] for line in said].index("Linear")
    said.clear()
    train_folder(request_for(output=str(tmp_path / "b")), said.append)
    assert not any("the backbone takes" in line for line in said)


def test_a_run_that_fails_is_told_and_passed_over(
    request_for, monkeypatch, tmp_path
):
    monkeypatch.setattr(session, "measure_start", lambda: 1.0)
    monkeypatch.setattr(candidates, "LEARNERS", ())
    monkeypatch.setattr(candidates, "TRIED", (("lora", 0.005),))
    said = []
    train_folder(
        request_for(method="auto"), said.append, lambda *_: ("failed", 1.0)
    )
    assert any("failed: it left no message" in line for line in said)
    assert (tmp_path / "out/report.html").is_file()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"method": "loar"}, "there is no method 'loar'; did you mean lora"),
        ({"data_folder": "/no/where"}, "There is no folder '/no/where'"),
        ({"source": "/no/where"}, "No backbone can be loaded"),
        (
            {"method": "lora", "params": 10},
            "'lora' trains .* parameters at least, and 10 are allowed",
        ),
    ],
)
def test_what_cannot_be_done(options, message, request_for):
    with pytest.raises(ValueError, match=message):
        train_folder(request_for(**options), str)


def test_the_time_is_too_short_for_more_than_a_probe(request_for, monkeypatch):
    monkeypatch.setattr(session, "measure_start", lambda: 1.0)
    said = []
    train_folder(request_for(method="auto", minutes=0.001), said.append)
    assert any("No time is left to train adapters" in line for line in said)


def test_requests_that_cannot_be_meant(request_for):
    for name, value in (("minutes", -1), ("params", 0), ("vote", 0)):
        with pytest.raises(ValueError, match=f"{name} is {value}"):
            replace(request_for(), **{name: value})


def test_from_python(sounds_folder, tiny_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [p.relative_to(sounds_folder) for p in sounds_folder.rglob("*.wav")]
    rows = [f"{name},{name.parts[0]}\n" for name in sorted(names)]
    (tmp_path / "mine.csv").write_text("file,label\n" + "".join(rows))
    artefact = adapt(
        "mine.csv",
        backbone=tiny_folder,
        data_folder=sounds_folder,
        method="linear",
        near_duplicates=False,
    )
    assert set(artefact.labels) == {name.parts[0] for name in names}
    assert (tmp_path / "results/mine/report.html").is_file()


def test_how_long_a_run_takes_to_start(monkeypatch):
    monkeypatch.setattr(session, "IMPORTS", "import time; time.sleep(0.2)")
    assert 0.3 < session.measure_start() < 30
