"""What comes after the search, measured before it: the test and the page."""

import time
from pathlib import Path
from typing import NamedTuple

from speechbrain_petl.adapt.embeddings import Outputs
from speechbrain_petl.adapt.prototypes import PER_CLASS
from speechbrain_petl.adapt.reporting.facts import SHOWN
from speechbrain_petl.adapt.reporting.page import media
from speechbrain_petl.adapt.request import Request
from speechbrain_petl.adapt.sounds import Sounds
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.trained import Trained

SAFETY = 5.0  # seconds for what nobody thought of
SLACK = 1.5  # a machine may be busier at the end than before


class Ending(NamedTuple):
    """How long the steps after the search take, in seconds.

    Arguments
    ---------
    model : float
        To open a model.
    clip : float
        To read a clip and to run a model over it.
    picture : float
        To make a player and a spectrogram of a clip.

    Example
    -------
    >>> Ending(model=2.0, clip=0.1, picture=0.5).seconds(100, 1)
    41.0
    """

    model: float
    clip: float
    picture: float

    def seconds(self, clips: int, models: int) -> float:
        """Returns how long all of them take, with so many clips a model."""
        return (
            SAFETY
            + SLACK * models * (self.model + clips * self.clip)
            + SLACK * 2 * SHOWN * self.picture
        )


def measure(
    request: Request, sounds: Sounds, known: dict[str, Outputs], folder: Path
) -> Ending:
    """Measures the steps on this machine, with clips that are no test clips.

    Arguments
    ---------
    request : Request
        What is asked.
    sounds : Sounds
        The data.
    known : dict of str to Outputs
        Embeddings of the training and the validation split.
    folder : Path
        Folder of the linear probe's artefact.

    Returns
    -------
    Ending
    """
    begin = time.monotonic()
    open_model(request, folder)
    opened = time.monotonic()
    media(sounds, "train", known["train"].ids[0])
    shown = time.monotonic()
    n_clips = sum(len(outputs.ids) for outputs in known.values())
    per_clip = sum(outputs.whole for outputs in known.values()) / n_clips
    return Ending(opened - begin, per_clip, shown - opened)


def clips_at_the_end(sounds: Sounds) -> int:
    """Returns how many clips a model is run over after the search."""
    stored = sum(
        min(most * len(sounds.labels), len(sounds.entries[split]))
        for split, most in PER_CLASS.items()
    )
    sizes = sounds.sizes()
    return sizes["valid"] + sizes["test"] + stored


def open_model(request: Request, folder: Path) -> Trained:
    """Opens an artefact on the device that is asked for."""
    artefact = Artefact.open(folder)
    stock = artefact.backbone(request.source, True).to(request.device)
    return artefact.load(stock)
