"""The recipe that trains on one's own sounds, found and used as it is."""

import runpy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hyperpyyaml import load_hyperpyyaml
from speechbrain_petl.experiments.planning.checks import require
from speechbrain_petl.lobes.checkpoints import read_config
from speechbrain_petl.lobes.families import LOBES
from speechbrain_petl.utils.plain_yaml import one_value
from speechbrain_petl.utils.recipes import find_recipes

NAME = "AudioFolder"
ANY_FAMILY = "speechbrain_petl.lobes.load_backbone"
LINEAR = "linear"


class Recipe:
    """The YAMLs of the recipe that fit a backbone, and its preparation.

    Arguments
    ---------
    source : str
        Backbone: an id of the Hugging Face hub, or a folder.

    Raises
    ------
    ValueError
        If there is no such backbone, or no YAML for its family.
    """

    def __init__(self, source: str):
        self.source = source
        self.folder = find_recipes(working=False) / NAME
        family = read_config(source).get("model_type")
        lobe = LOBES.get(str(family))
        if lobe is None:
            raise ValueError(
                f"'{source}' is of the family '{family}': give --source a "
                f"backbone of {', '.join(LOBES)}."
            )
        self.place = self._place(lobe)

    def _place(self, lobe):
        """Returns the folder of YAMLs for a lobe, relative to ``hparams``."""
        files = sorted((self.folder / "hparams").rglob(f"{LINEAR}.yaml"))
        for wanted in (lobe, ANY_FAMILY):
            for file in files:
                if f":{wanted}\n" in file.read_text(encoding="utf-8"):
                    return file.parent.relative_to(self.folder / "hparams")
        raise ValueError(f"{self.folder} has no YAML for {lobe}.")

    def has(self, method: str) -> bool:
        """Returns True if there is a YAML of a method for this backbone."""
        return self.file(method).is_file()

    def name(self, method: str) -> str:
        """Returns the name of a method's YAML, relative to ``hparams``."""
        return (self.place / method).as_posix()

    def file(self, method: str) -> Path:
        """Returns a method's YAML."""
        return self.folder / "hparams" / f"{self.name(method)}.yaml"

    def check(self, method: str) -> None:
        """Refuses a method of which there is no YAML.

        Raises
        ------
        ValueError
            Naming the nearest one.
        """
        known = sorted(
            path.stem
            for path in (self.folder / "hparams" / self.place).glob("*.yaml")
        )
        require([method], ["auto", *known], "method", "--method")

    def modules(self, method: str, overrides: dict[str, Any]) -> dict[str, Any]:
        """Makes what the YAML of a method says, such as ``encoder``."""
        text = self.file(method).read_text(encoding="utf-8")
        with TemporaryDirectory() as nowhere:  # a checkpointer makes its folder
            given = {
                "source": self.source,
                "data_folder": nowhere,
                **overrides,
                "output_folder": nowhere,
            }
            return load_hyperpyyaml(text, as_yaml(given))


def run_preparation(**options: Any) -> None:
    """Runs the recipe's data preparation in this process."""
    script = find_recipes(working=False) / NAME / "audio_folder_prepare.py"
    runpy.run_path(str(script))["prepare_audio_folder"](**options)


def as_yaml(values: dict[str, Any]) -> str:
    """Returns YAML of overrides."""
    return "".join(f"{k}: {one_value(str(v))}\n" for k, v in values.items())
