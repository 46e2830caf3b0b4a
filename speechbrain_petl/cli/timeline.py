"""``predict --timeline``: long recordings, what is heard when."""

from pathlib import Path

from speechbrain_petl.inference.bank import AdapterBank
from speechbrain_petl.inference.label_files import write_labels
from speechbrain_petl.inference.timeline import Recording, Span, merge

THRESHOLD = 0.5  # where an artefact has no threshold of its own


def write_timeline(bank: AdapterBank, path: str, options) -> list[Span]:
    """Writes the label files of a recording.

    Arguments
    ---------
    bank : AdapterBank
        The tasks.
    path : str
        The recording.
    options : argparse.Namespace
        ``timeline``, the folder; ``hop``, ``window``, ``threshold``, ``gap``.

    Returns
    -------
    list of Span
        What is heard when.
    """
    recording = Recording(path, bank, options.hop, options.window)
    threshold = options.threshold
    if threshold is None:
        threshold = min(map(threshold_of, map(bank.__getitem__, bank.tasks)))
    spans = merge(recording.windows(), threshold, options.gap)
    write_labels(Path(options.timeline), Path(path).name, recording, spans)
    return spans


def threshold_of(trained) -> float:
    """Returns the probability below which an artefact knows no class."""
    unknown = trained.metadata.get("unknown", {})
    return unknown.get("threshold", THRESHOLD)
