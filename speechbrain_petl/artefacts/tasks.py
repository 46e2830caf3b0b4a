"""Tasks: what an artefact is for, and what it records to decide by."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from speechbrain_petl.artefacts.kinds import (
    Choice,
    Kind,
    ListOf,
    Maybe,
    Number,
    Record,
)

if TYPE_CHECKING:
    from speechbrain_petl.artefacts.decisions import Decision

CLASSIFICATION, TAGGING = "classification", "tagging"
EMBEDDING = "embedding"
MOST_THRESHOLDS = 100_000


@dataclass(frozen=True)
class Task:
    """What the artefacts of a task have in common.

    Arguments
    ---------
    decision : Record
        Keys of ``decision`` in ``artefact.json``: what inference decides by.
    labelled : bool
        If True, the head has an output for each label; otherwise there are
        no labels.
    interface : str
        Class of ``speechbrain_petl.inference`` that uses it.
    modules : str
        HyperPyYAML of the modules that the interface has.
    verb : str
        What it does, as the hub calls it.
    usage : str
        Markdown on how to use it.
    decides : str, optional
        Class of ``artefacts.decisions`` that decides on labels.
    """

    decision: Record
    labelled: bool
    interface: str
    modules: str
    verb: str
    usage: str
    decides: str | None = None


CLASSIFIER = """
posteriors: !new:torch.nn.Sequential
- !ref <classifier>
- !new:torch.nn.LogSoftmax
  dim: -1

modules:
  compute_features: !ref <compute_features>
  mean_var_norm: !new:speechbrain_petl.inference.Unchanged
  embedding_model: !ref <encoder>
  classifier: !ref <posteriors>
"""
TAGGER = """
task: tagging

posteriors: !new:torch.nn.Sequential
- !ref <classifier>
- !new:torch.nn.LogSigmoid

modules:
  compute_features: !ref <compute_features>
  mean_var_norm: !new:speechbrain_petl.inference.Unchanged
  embedding_model: !ref <encoder>
  classifier: !ref <posteriors>
"""
SPEAKER = """
modules:
  compute_features: !ref <compute_features>
  mean_var_norm: !new:speechbrain_petl.inference.Unchanged
  embedding_model: !new:speechbrain_petl.inference.Embedder
    encoder: !ref <encoder>
    head: !ref <classifier>
  mean_var_norm_emb: !new:speechbrain_petl.inference.Unchanged
"""

CLASSIFY = """\
```python
from speechbrain_petl.inference import PETLClassifier

classifier = PETLClassifier.from_artefact("<this folder or hub id>")
posteriors, score, index, label = classifier.classify_file("clip.wav")
print(label[0], score.exp().item())
```

or `speechbrain-petl predict <this folder or hub id> clip.wav`."""
TAG = """\
```python
from speechbrain_petl.inference import PETLClassifier

tagger = PETLClassifier.from_artefact("<this folder or hub id>")
scores, _, _, labels = tagger.classify_file("clip.wav")
print(labels[0], scores[0].exp())
```

or `speechbrain-petl predict <this folder or hub id> clip.wav`. A clip may have
several labels, or none: it is given those whose scores are above the thresholds
of their classes, which were chosen on the validation set for the best F-score."""
VERIFY = """\
```python
from speechbrain_petl.inference import PETLSpeaker

speaker = PETLSpeaker.from_artefact("<this folder or hub id>")
score, same = speaker.verify_files("a.wav", "b.wav")
```

or `speechbrain-petl verify-speakers <this folder or hub id> a.wav b.wav`. A
score above the threshold means one speaker; the threshold was chosen on
validation trials, where both kinds of errors were equally frequent. Another use
may want another one: `threshold=...`."""

#: A row for each task: the only place that knows which there are.
TASKS = {
    CLASSIFICATION: Task(
        Record(),
        True,
        "PETLClassifier",
        CLASSIFIER,
        "audio-classification",
        CLASSIFY,
        "OneLabel",
    ),
    TAGGING: Task(
        # Just below 0, all clips are above it.
        Record({"thresholds": ListOf(Number(-1, 1), MOST_THRESHOLDS)}),
        True,
        "PETLClassifier",
        TAGGER,
        "audio-classification",
        TAG,
        "SeveralLabels",
    ),
    EMBEDDING: Task(
        Record(
            {
                "threshold": Maybe(Number(-1e6, 1e6)),
                "scoring": Choice("cosine", "segments", "segments_legacy_axis"),
            }
        ),
        False,
        "PETLSpeaker",
        SPEAKER,
        "audio-classification",  # the hub has no name for verification
        VERIFY,
    ),
}
TASK: Kind = Choice(*TASKS)
#: The tasks that give a clip labels.
LABELLED = tuple(name for name, task in TASKS.items() if task.labelled)


def task_of(metadata: Mapping[str, Any]) -> str:
    """Returns the name of an artefact's task.

    Example
    -------
    >>> task_of({"labels": ["dog"]})
    'classification'
    """
    return metadata.get("task", CLASSIFICATION)


def decision_of(metadata: Mapping[str, Any]) -> "Decision":
    """Returns what decides on labels.

    Arguments
    ---------
    metadata : mapping
        An artefact's metadata, or what its YAML says: ``task`` and
        ``decision``.

    Returns
    -------
    Decision

    Raises
    ------
    ValueError
        If the task gives no labels.

    Example
    -------
    >>> type(decision_of({})).__name__
    'OneLabel'
    """
    task = TASKS[task_of(metadata)]
    if task.decides is None:
        raise ValueError(
            f"An artefact for {task_of(metadata)} gives no labels: use it with "
            f"{task.interface}."
        )
    # Only now, as it takes torch, which what is read and shown does not need.
    from speechbrain_petl.artefacts import decisions

    decide = getattr(decisions, task.decides)
    return decide(metadata.get("decision", {}))


def task_misfits(metadata: Mapping[str, Any]) -> list[str]:
    """Returns what of metadata does not fit their task.

    Arguments
    ---------
    metadata : mapping
        Metadata that fit the schema of all tasks.

    Returns
    -------
    list of str
        A sentence for each problem.
    """
    task, labels = TASKS[task_of(metadata)], metadata["labels"]
    logits = metadata["probe"]["logits"]
    problems = task.decision.misfits(metadata.get("decision", {}), "decision")
    if bool(labels) != task.labelled:
        number = "one or more" if task.labelled else "none"
        problems.append(f"labels should be {number}, not {len(labels)}")
    elif len(set(labels)) != len(labels):
        problems.append("labels should differ from one another")
    elif task.labelled and len(logits) != len(labels):
        problems.append(
            "labels and probe.logits should be as many, not "
            f"{len(labels)} and {len(logits)}"
        )
    thresholds = metadata.get("decision", {}).get("thresholds", labels)
    if not problems and len(thresholds) != len(labels):
        problems.append(
            "labels and decision.thresholds should be as many, not "
            f"{len(labels)} and {len(thresholds)}"
        )
    return problems


def custom_code(task: str) -> str:
    """Returns the ``custom.py`` of a task, for SpeechBrain's foreign_class.

    Example
    -------
    >>> print(custom_code("classification").splitlines()[-1])
    from speechbrain_petl.inference import PETLClassifier as CustomInterface
    """
    return (
        '"""For speechbrain.inference.interfaces.foreign_class."""\n\n'
        f"from speechbrain_petl.inference import {TASKS[task].interface} "
        "as CustomInterface\n"
    )


def decision_line(decision: Mapping[str, Any] | None) -> str:
    """Returns how an artefact's YAML says what it decides by.

    Example
    -------
    >>> decision_line({"thresholds": [0.5]})
    '\\ndecision: {"thresholds": [0.5]}\\n'
    """
    return f"\ndecision: {json.dumps(decision)}\n" if decision else ""


def tail(
    backbone: str,
    sample_rate: int,
    tensors: str,
    task: str = CLASSIFICATION,
    decision: Mapping[str, Any] | None = None,
) -> str:
    """Returns what every artefact's YAML ends with, for ``from_hparams``.

    Arguments
    ---------
    backbone : str
        Key of the backbone.
    sample_rate : int
        Sample rate of the waveforms in Hz.
    tensors : str
        SHA-256 of the tensors.
    task : str
        What the artefact is for.
    decision : mapping, optional
        What it decides by, as in ``artefact.json``.

    Returns
    -------
    str
        HyperPyYAML.
    """
    return (
        TASKS[task].modules
        + decision_line(decision)
        + TAIL.format(
            backbone=backbone, sample_rate=sample_rate, tensors=tensors
        )
    )


TAIL = """
audio_normalizer: !new:speechbrain.dataio.preprocess.AudioNormalizer
  sample_rate: {sample_rate}

label_encoder: !new:speechbrain.dataio.encoder.CategoricalEncoder

pretrainer: !new:speechbrain_petl.inference.ArtefactLoader
  tensors: {tensors}
  backbone: !ref <{backbone}>
  compute_features: !ref <compute_features>
  encoder: !ref <encoder>
  classifier: !ref <classifier>
  label_encoder: !ref <label_encoder>
"""
