"""The model that a finished run has trained."""

import json
from pathlib import Path

from speechbrain_petl.artefacts.format import read_metadata
from speechbrain_petl.artefacts.load import Trained, load_backbone, load_trained


def load_model(run: str | Path) -> Trained:
    """Loads a run's artefact onto the backbone that the run had.

    An artefact names a local backbone by its folder's name alone; the run
    knows the whole path.

    Arguments
    ---------
    run : str or Path
        The run's output folder.

    Returns
    -------
    Trained
    """
    artefact = Path(run) / "artefact"
    results = json.loads((Path(run) / "results.json").read_text())
    source = results["hyperparameters"]["ast_source"]
    backbone = load_backbone(
        read_metadata(artefact / "artefact.json"),
        source if Path(source).is_dir() else None,
    )
    return load_trained(artefact, backbone)
