"""The model that a finished run has trained."""

import json
from pathlib import Path

from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.trained import Trained


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
    artefact = Artefact.open(Path(run) / "artefact")
    results = json.loads((Path(run) / "results.json").read_text())
    source = results["hyperparameters"]["source"]
    local = source if Path(source).is_dir() else None
    return artefact.load(artefact.backbone(local))
