"""Each variant has a family, each family a color."""

from speechbrain_petl.experiments.reporting.figures.families import (
    COLORS,
    FAMILIES,
    OTHER,
    family_of,
)
from speechbrain_petl.utils.recipes import find_recipes


def test_every_yaml_has_a_family():
    names = {
        file.relative_to(hparams).with_suffix("").as_posix().replace("/", "_")
        for hparams in find_recipes().glob("*/hparams")
        for file in hparams.rglob("*.yaml")
    }
    assert len(names) > 40
    lost = {name for name in names if family_of(name) == OTHER}
    assert not lost, "give them a family"


def test_every_family_has_a_color_of_its_own():
    assert set(COLORS) == {*FAMILIES, OTHER}
    assert len(set(COLORS.values())) == len(COLORS)
