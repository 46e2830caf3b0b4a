"""The brain of speaker verification: trained by classes, judged by trials."""

import csv
import json
import re

import pytest
import torch
from speechbrain_petl.training.metrics.score_norm import cohort_statistics
from speechbrain_petl.training.verification_brain import (
    SpeakerVerificationBrain,
)

from tests.training.speakers import (
    HELD_OUT,
    TESTED,
    TRAINED,
    TRIALS,
    speakers,
    test,
    train,
    utterances,
)
from tests.training.toys import same


def results(folder):
    """What a run left."""
    return json.loads((folder / "results.json").read_text())


def test_a_run_is_selected_and_judged_by_trials(tmp_path):
    brain = speakers(tmp_path)
    train(brain)
    test(brain)
    found = results(tmp_path)
    assert found["selects"] == "eer" and found["direction"] == "min"
    assert set(SpeakerVerificationBrain.metrics) <= set(found)
    assert found["n_test"] == len(TRIALS["test"]) == 12
    assert found["n_target"] == 6 and found["n_utterances"] == 9
    assert found["valid_trials"] == 12
    log = (tmp_path / "train_log.txt").read_text()
    rates = [float(x) for x in re.findall(r"valid eer: (\S+?),", log)]
    assert len(rates) == 3
    assert found["best_epoch"] == 1 + rates.index(min(rates))
    assert found["valid_eer"] == pytest.approx(min(rates), abs=1e-6)
    rows = list(csv.DictReader((tmp_path / "scores.csv").open()))
    missed = [
        float(row["score"]) <= found["threshold"]
        for row in rows
        if row["target"] == "1"
    ]
    assert found["miss_at_threshold"] == pytest.approx(sum(missed) / 6)
    assert [row["second"] for row in rows] == [t.second for t in TRIALS["test"]]
    assert (tmp_path / "det_curve.png").stat().st_size > 1000


def test_utterances_are_embedded_once(tmp_path):
    seen = []

    class Counting(SpeakerVerificationBrain):
        def compute_forward(self, batch, stage):
            seen.extend(batch.id)
            return self.embed(*batch.sig)

    brain = speakers(tmp_path, epochs=1)
    train(brain)
    brain.__class__ = Counting
    test(brain)
    assert sorted(seen) == sorted(u["id"] for u in utterances(TESTED))
    named = [name for trial in TRIALS["test"] for name in trial[1:]]
    assert len(named) > len(seen)


@pytest.mark.parametrize("die_at", [(1, 2), (2, 3), (3, 5)])
@pytest.mark.fault(
    "verification interrupted at a step; losses and weights compared bit by bit"
)
def test_an_interrupted_run_is_bit_equal(die_at, tmp_path):
    whole = speakers(tmp_path / "whole")
    train(whole)
    test(whole)
    cut = speakers(tmp_path / "cut", die_at=die_at, ckpt_interval_steps=1)
    with pytest.raises(KeyboardInterrupt):
        train(cut)
    torch.manual_seed(99)
    again = speakers(tmp_path / "cut", ckpt_interval_steps=1)
    train(again)
    assert again.losses == whole.losses[-len(again.losses) :]
    assert len(again.losses) < len(whole.losses)
    test(again)
    assert same(again, whole)
    scores = [
        (tmp_path / name / "scores.csv").read_text()
        for name in ("whole", "cut")
    ]
    assert scores[0] == scores[1]


def test_scores_are_normalized_by_the_training_speakers(tmp_path):
    brain = speakers(tmp_path, epochs=1, score_norm="s", cohort_top=2)
    train(brain)
    with pytest.raises(ValueError, match="score_norm needs a cohort"):
        test(brain)
    test(brain, cohort_set=utterances(TRAINED))
    assert brain.cohort.shape == (3, 5)
    found = results(tmp_path)
    assert found["threshold"] <= 1, "it is of scores that are not normalized"
    rates = brain.raw.errors_at(found["threshold"])
    assert found["miss_at_threshold"] == rates[0]
    ids, rows = brain.evaluated[0][0], brain.evaluated[0][1]["embeddings"]
    unit = torch.nn.functional.normalize(rows, dim=-1).mean(dim=1)
    mean, std = cohort_statistics(unit, brain.cohort, 2)
    raw = torch.cosine_similarity(unit[0], unit[1], dim=0)
    wanted = ((raw - mean[0]) / std[0] + (raw - mean[1]) / std[1]) / 2
    place = [t[1:] for t in TRIALS["test"]].index((ids[0], ids[1]))
    torch.testing.assert_close(brain.scored.scores[place], wanted)


def test_without_held_out_speakers_there_is_no_threshold(tmp_path):
    brain = speakers(tmp_path, epochs=2, trials={"test": TRIALS["test"]})
    train(brain, valid=False)
    test(brain)
    found = results(tmp_path)
    assert found["best_epoch"] == 2 and found["threshold"] is None
    assert brain.decision()["threshold"] is None


@pytest.mark.parametrize(
    "options, words",
    [
        ({"scoring": "luck"}, "one of cosine, segments"),
        ({"windows": None, "scoring": "segments"}, "need the same number"),
        ({"score_norm": "x"}, "score_norm is null, z, t or s"),
        ({"score_norm": "s", "scoring": "segments"}, "scoring: cosine"),
    ],
)
def test_options_that_do_not_go_together(options, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        speakers(tmp_path, **options)


def test_the_artefact_knows_no_speaker(tmp_path):
    brain = speakers(tmp_path)
    head, full = brain.trained_head(), brain.modules.classifier
    pooled = torch.rand(2, 3)
    assert torch.equal(head(pooled), full.embed(pooled))
    assert set(head.state_dict()) == {"embed.weight", "embed.bias"}
    assert len(brain.label_map()) == 0


def test_all_scorings_score(tmp_path):
    found = {}
    for scoring in ("cosine", "segments", "segments_legacy_axis"):
        brain = speakers(tmp_path / scoring, epochs=1, scoring=scoring)
        train(brain)
        test(brain)
        found[scoring] = brain.scored.scores
    assert all(scores.isfinite().all() for scores in found.values())
    assert not torch.equal(found["segments"], found["segments_legacy_axis"])
    assert HELD_OUT != TESTED
