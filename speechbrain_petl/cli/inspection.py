"""``speechbrain-petl inspect``: an artefact's metadata, without torch."""

import json

from speechbrain_petl.artefacts.stored import Stored
from speechbrain_petl.artefacts.tasks import task_of
from speechbrain_petl.utils.messages import printable


def inspect(options) -> int:
    """Shows an artefact's metadata."""
    metadata = Stored.open(options.artefact, options.revision).metadata
    if options.json:
        print(json.dumps(metadata, indent=2))
        return 0
    backbone, features = metadata["backbone"], metadata["features"]
    training = metadata["training"]
    revision = f" at {backbone['revision']}" if backbone["revision"] else ""
    rows = {
        "task": task_of(metadata)
        + "".join(
            f", {key} {_summary(value)}"
            for key, value in metadata.get("decision", {}).items()
        ),
        "method": metadata["method"],
        "trained": f"{sum(metadata['trainable'].values()):,} parameters ("
        + ", ".join(f"{k} {v:,}" for k, v in metadata["trainable"].items())
        + ")",
        "size": f"{metadata['tensors']['bytes']:,} bytes",
        "backbone": f"{backbone['source']}{revision}, fingerprint "
        f"{backbone['fingerprint'][:12]}, pooling {backbone['pooling']}",
        "input": f"{features['max_length']} frames "
        f"({features['max_length'] / 100} s) at {features['sample_rate']} Hz, "
        f"mean {features.get('mean')}, std {features.get('std')}",
        "trained on": training["corpus"] + _clips(training),
        "metrics": ", ".join(
            f"{k} {v}" for k, v in metadata["metrics"].items()
        ),
        "labels": f"{len(metadata['labels'])}: {', '.join(metadata['labels'])}",
        "format": f"{metadata['format']} {metadata['format_version']}",
        "versions": ", ".join(
            f"{k} {v}" for k, v in metadata["versions"].items()
        ),
    }
    for name, value in rows.items():
        print(f"{name:<11} {printable(value)}")
    return 0


def _summary(value):
    """Returns a value as text, of a list of numbers its range.

    Example
    -------
    >>> _summary([0.25, 0.5]), _summary("cosine")
    ('0.25 to 0.5', 'cosine')
    """
    if isinstance(value, list) and value:
        return f"{min(value):.4g} to {max(value):.4g}"
    return value


def _clips(training):
    """Returns the number of clips of each split, as far as recorded."""
    counts = [
        f"{name} {split['number']:,}"
        for name, split in training.get("clips", {}).items()
        if split
    ]
    return f" (clips: {', '.join(counts)})" if counts else ""
