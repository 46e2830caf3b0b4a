"""The format: which metadata, label maps and code an artefact may have."""

import copy
import json

import pytest
from speechbrain_petl.artefacts.format import (
    FORMAT,
    FORMAT_VERSION,
    SOURCE,
    check_custom_code,
    check_label_map,
    label_map,
    read_metadata,
)
from speechbrain_petl.artefacts.tasks import CLASSIFICATION, custom_code

from speechbrain.dataio.encoder import CategoricalEncoder

CUSTOM_CODE = custom_code(CLASSIFICATION)

METADATA = {
    "format": FORMAT,
    "format_version": FORMAT_VERSION,
    "method": "linear",
    "trainable": {"head": 6},
    "training": {"corpus": "ESC-50", "hyperparameters": {"lr": 0.1}},
    "metrics": {"accuracy": 0.5},
    "labels": ["dog", "cat"],
    "backbone": {
        "source": "MIT/ast",
        "revision": None,
        "fingerprint": "0" * 64,
        "pooling": "mean",
    },
    "features": {"sample_rate": 16000, "max_length": 100},
    "tensors": {"sha256": "f" * 64, "bytes": 100},
    "probe": {
        "seed": 7,
        "samples": 16000,
        "tolerance": 0.001,
        "logits": [0.1, 0.2],
    },
    "versions": {"torch": "2.0"},
}


def read(folder, **changes):
    """Writes metadata with changed keys and reads them."""
    file = folder / "artefact.json"
    file.write_text(json.dumps({**copy.deepcopy(METADATA), **changes}))
    return read_metadata(file)


def test_whole_metadata_are_read_as_they_are(tmp_path):
    assert read(tmp_path, note="free") == {**METADATA, "note": "free"}


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"format": "other"}, "update it"),
        ({"format_version": FORMAT_VERSION + 1}, "update it"),
        ({"format_version": 1}, "before 0.1.0"),
        ({"format_version": True}, "update it"),
        ({"labels": ["dog", "dog"]}, "differ from one another"),
        ({"labels": ["dog"]}, "as many, not 1 and 2"),
        ({"metrics": {"accuracy": float("nan")}}, "metrics.accuracy"),
        ({"tensors": {"sha256": "f" * 63, "bytes": 100}}, "tensors.sha256"),
    ],
)
def test_other_metadata_are_refused(tmp_path, changes, words):
    with pytest.raises(ValueError, match=f"artefact.json.*{words}"):
        read(tmp_path, **changes)


def test_a_source_is_never_a_path():
    for name in ("tiny_ast", "MIT/ast-10-0.4593"):
        assert SOURCE.misfits(name, "source") == []
    for path in ("..", "/etc", "../ast", "a/b/c", "C:\\ast", "a\nb", ""):
        assert SOURCE.misfits(path, "source"), path


def test_label_map_is_the_one_of_speechbrain(tmp_path):
    labels = ["dog", "it's", 'a "b"']
    file = tmp_path / "labels.txt"
    file.write_text(label_map(labels))
    encoder = CategoricalEncoder()
    encoder.load(file)
    assert [encoder.ind2lab[i] for i in range(len(labels))] == labels
    check_label_map(file.read_text(), file, labels)
    with pytest.raises(ValueError, match="is not this artefact's"):
        check_label_map(file.read_text(), file, labels[::-1])


def test_custom_code_is_the_same_to_the_letter():
    check_custom_code(CUSTOM_CODE, "custom.py", CLASSIFICATION)
    with pytest.raises(ValueError, match="'custom.py'.*it is code"):
        check_custom_code(CUSTOM_CODE + "\n", "custom.py", CLASSIFICATION)
