"""What an artefact says of the data that it was trained on."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median_low
from typing import Any

from speechbrain_petl.artefacts.format import RATE
from speechbrain_petl.dataio.audio import header_rate
from speechbrain_petl.dataio.datasets import read_manifest
from speechbrain_petl.utils.yaml_text import read_yaml

LOOKED_AT = 20  # training clips whose headers are read


def data_facts(
    script: str | Path | None,
    data_folder: str | Path,
    train_manifest: str | Path,
    n_test: int,
) -> dict[str, Any]:
    """Returns what is known of a run's data.

    Arguments
    ---------
    script : str, Path or None
        The recipe's, beside which ``corpus.yaml`` says how large a whole
        test is; None for sounds of one's own, which have no such size.
    data_folder : str or Path
        The corpus.
    train_manifest : str or Path
        The training clips.
    n_test : int
        How many clips were tested.

    Returns
    -------
    dict
        ``folder``, the name of the data folder; ``source_rate``, the usual
        sample rate of the training files in Hz, if they can be read and it is
        one that an artefact may name; and
        ``whole_test``, how many clips a whole test has, if it has more.
    """
    facts: dict[str, Any] = {"folder": Path(data_folder).resolve().name}
    rate = usual_rate(data_folder, train_manifest)
    if rate is not None and not RATE.misfits(rate, ""):
        facts["source_rate"] = rate
    file = Path(script or "").resolve().parent / "corpus.yaml"
    if script is not None and file.is_file():
        said = read_yaml(file.read_text(encoding="utf-8"), str(file))
        whole = said.get("test_clips") if isinstance(said, dict) else None
        if isinstance(whole, int) and n_test < whole:
            facts["whole_test"] = whole
    return facts


def usual_rate(
    data_folder: str | Path, train_manifest: str | Path
) -> int | None:
    """Returns the median sample rate of some training files, in Hz.

    Arguments
    ---------
    data_folder : str or Path
        The corpus.
    train_manifest : str or Path
        The training clips.

    Returns
    -------
    int or None
        None if no file can be read.
    """
    if not Path(train_manifest).is_file():
        return None
    clips = list(read_manifest(str(train_manifest), str(data_folder)).values())
    some = clips[:: max(1, len(clips) // LOOKED_AT)][:LOOKED_AT]
    # What trained may lie elsewhere by now.
    found = [header_rate(clip["wav"]) for clip in some if "wav" in clip]
    rates = [rate for rate in found if rate is not None]
    return median_low(rates) if rates else None


def excerpt(metadata: Mapping[str, Any]) -> str:
    """Returns a sentence on an excerpt; empty if the corpus was whole.

    Arguments
    ---------
    metadata : mapping
        An artefact's ``artefact.json``.

    Returns
    -------
    str

    Example
    -------
    >>> training = {"corpus": "ESC-50", "data": {"whole_test": 400}}
    >>> excerpt({"training": training, "metrics": {"n_test": 80}})
    'The data were an excerpt of ESC-50: 80 clips were tested, of a whole test of 400, so the figures compare with no published ones.'
    """
    training = metadata["training"]
    whole = training.get("data", {}).get("whole_test")
    if whole is None:
        return ""
    tested = metadata["metrics"].get("n_test")
    clips = "fewer clips" if tested is None else f"{tested:.0f} clips"
    return (
        f"The data were an excerpt of {training['corpus']}: {clips} were "
        f"tested, of a whole test of {whole}, so the figures compare with no "
        "published ones."
    )
