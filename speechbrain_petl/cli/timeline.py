"""``predict --timeline``: long recordings, what is heard when."""

from pathlib import Path

from speechbrain_petl.inference.bank import AdapterBank
from speechbrain_petl.inference.label_files import write_labels
from speechbrain_petl.inference.timeline import Recording, Span


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
    spans = recording.spans(options.threshold, options.gap)
    write_labels(Path(options.timeline), Path(path).name, recording, spans)
    return spans
