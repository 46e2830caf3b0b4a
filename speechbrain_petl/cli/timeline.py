"""``predict --timeline``: long recordings, what is heard when."""

from pathlib import Path

from speechbrain_petl.inference.bank import AdapterBank
from speechbrain_petl.inference.label_files import write_labels
from speechbrain_petl.inference.timeline import Recording, Span, merge


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
    least = {
        task: threshold_of(bank[task])
        if options.threshold is None
        else options.threshold
        for task in bank.tasks
    }
    heard = (w for w in recording.windows() if w.probability >= least[w.task])
    spans = merge(heard, 0.0, options.gap)
    write_labels(Path(options.timeline), Path(path).name, recording, spans)
    return spans


def threshold_of(trained) -> float:
    """Returns the probability below which an artefact knows no class."""
    unknown = trained.metadata.get("unknown", {})
    return unknown.get("threshold", trained.decision.least)
