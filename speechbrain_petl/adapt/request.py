"""What is asked of a training on one's own sounds."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

AUTO = "auto"
DEFAULT_SOURCE = "MIT/ast-finetuned-audioset-10-10-0.4593"
# What may differ when a training is taken up again
PLACES = ("data_folder", "output", "metadata", "device", "artefact")


@dataclass(frozen=True)
class Request:
    """What is asked of a training on one's own sounds.

    Arguments
    ---------
    data_folder : str
        Folder of the sounds.
    output : str
        Folder of all that is written.
    metadata : str, optional
        Table of the sounds; without one, each subfolder is a class.
    group_by : str, optional
        Regular expression of file names; sounds in which it matches the same
        stay in one split.
    source : str, optional
        Backbone: an id of the Hugging Face hub, or a folder; by default AST,
        pretrained on AudioSet, or that of the artefact.
    artefact : str, optional
        Artefact that these sounds are added to: its adapters stay, and its
        head is fitted anew, for its classes and those of the sounds.
    method : str
        A YAML of the recipe, or ``auto``.
    minutes : float
        Time for everything.
    params : int
        Most parameters that a method may train, without the head.
    vote : int
        Number of trained models whose probabilities are averaged.
    near_duplicates : bool
        If False, compressed and overlapping copies are not looked for.
    skip_bad_audio : bool
        If True, leaves out files that cannot be used.
    seed : int
        Seed of the splits and of all trainings.
    device : str
        Where it is computed.

    Raises
    ------
    ValueError
        If a number is none that can be meant, or there is no such folder of
        sounds.

    Example
    -------
    >>> Request("sounds", "results/sounds", minutes=0)
    Traceback (most recent call last):
    ...
    ValueError: minutes is 0: give a positive number, such as 10.
    """

    data_folder: str
    output: str
    metadata: str | None = None
    group_by: str | None = None
    source: str | None = None
    artefact: str | None = None
    method: str = AUTO
    minutes: float = 10.0
    params: int = 500_000
    vote: int = 1
    near_duplicates: bool = True
    skip_bad_audio: bool = False
    seed: int = 1234
    device: str = "cpu"

    def __post_init__(self):
        if not (self.minutes > 0 and math.isfinite(self.minutes)):
            raise ValueError(
                f"minutes is {self.minutes:g}: give a positive number, such "
                "as 10."
            )
        for name in ("params", "vote"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"{name} is {getattr(self, name)}: give a whole number "
                    "from 1."
                )
        if not Path(self.data_folder).is_dir():
            raise ValueError(f"There is no folder '{self.data_folder}'.")

    @property
    def backbone(self) -> str:
        """Returns the backbone, the default one if none is given."""
        return self.source or DEFAULT_SOURCE

    @property
    def folder(self) -> Path:
        """Returns the absolute output folder."""
        return Path(self.output).absolute()

    @property
    def manifests(self) -> Path:
        """Returns the folder of the manifests."""
        return self.folder / "manifest"

    def settings(self) -> dict[str, Any]:
        """Returns what a training has to agree in to be taken up again."""
        return {k: v for k, v in asdict(self).items() if k not in PLACES}
