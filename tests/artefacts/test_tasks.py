"""Tasks: which an artefact may be for, and what each records."""

import pytest
from speechbrain_petl.artefacts.safe_yaml import read_tree
from speechbrain_petl.artefacts.tasks import (
    EMBEDDING,
    TASKS,
    custom_code,
    tail,
    task_misfits,
)

from tests.artefacts.test_format import METADATA, read

DECISION = {"threshold": 0.3, "scoring": "cosine"}
SPEAKERS = {"task": EMBEDDING, "labels": [], "decision": DECISION}


def test_an_embedding_has_no_labels(tmp_path):
    assert read(tmp_path, **SPEAKERS)["decision"] == DECISION
    with pytest.raises(ValueError, match="labels should be none, not 2"):
        read(tmp_path, task=EMBEDDING, decision=DECISION)
    with pytest.raises(ValueError, match="labels should be one or more"):
        read(tmp_path, labels=[])


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"task": "spying"}, "task should be one of 'classification'"),
        ({**SPEAKERS, "decision": {}}, "decision.threshold is missing"),
        (
            {**SPEAKERS, "decision": {**DECISION, "threshold": "low"}},
            "decision.threshold",
        ),
        (
            {**SPEAKERS, "decision": {**DECISION, "scoring": "luck"}},
            "decision.scoring should be one of 'cosine'",
        ),
        ({"decision": DECISION}, "decision has the unknown key 'threshold'"),
    ],
)
def test_what_a_task_does_not_record_is_refused(tmp_path, changes, words):
    with pytest.raises(ValueError, match=words):
        read(tmp_path, **changes)


def test_older_metadata_are_of_classification():
    assert "task" not in METADATA and not task_misfits(METADATA)


@pytest.mark.parametrize("task", TASKS)
def test_a_task_says_how_it_is_used(task):
    import speechbrain_petl.inference

    assert TASKS[task].interface in custom_code(task)
    last = read_tree(tail("b", 16000, "0" * 64, task, DECISION), "x.yaml")
    assert last["decision"] == DECISION
    modules = last["modules"].items()
    assert {"compute_features", "embedding_model"} <= dict(modules).keys()
    assert hasattr(speechbrain_petl.inference, TASKS[task].interface)
