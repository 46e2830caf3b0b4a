"""Plans: the runs of an experiment.

A plan is a YAML file::

    title: Adapters against LoRA
    paper: table1          # whose figures to put beside; see paper.csv
    corpora: [ESC50, GoogleSpeechCommands]
    variants:              # names of YAMLs in recipes/<Corpus>/hparams
      - lora
      - wav2vec2/lora      # its label, the name of a row, is wav2vec2_lora
      - {label: lora_rr64, yaml: lora, overrides: {lora_reduction_rate: 64}}
    folds: [1, 2]          # default: all
    seeds: [1234]
    shots: [1, 8]          # few-shot; default: all clips
    draws: [0, 1, 2]       # draws of them
    overrides: {number_of_epochs: 5}
    corpus_overrides: {ESC50: {max_length: 300}}
    data_folders: {ESC50: /data/ESC-50}
    search: {trials: 8, space: {lr: log:1e-4:1e-2}}    # for ``tune``

``demo`` as a data folder is a small synthetic corpus, as ``source`` the
miniature AST of the package.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from speechbrain_petl.demo import BACKBONE
from speechbrain_petl.experiments.planning.checks import (
    check_kinds,
    check_own,
    check_plan,
    require,
)
from speechbrain_petl.experiments.planning.recipes import Recipe, read_recipe
from speechbrain_petl.utils.recipes import corpora_in
from speechbrain_petl.utils.yaml_text import read_yaml

SHIPPED = Path(__file__).parent / "plans"


@dataclass(frozen=True)
class Variant:
    """A row of a table: a YAML, overrides of it, and what to search."""

    label: str
    yaml: str
    overrides: Mapping = field(default_factory=dict)
    space: Mapping = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """One run of a recipe.

    Arguments
    ---------
    corpus : str
        Folder in ``recipes``.
    variant : Variant
        Method and its overrides.
    seed : int
        Seed of the run.
    fold : int, optional
        Fold to test on; None for a corpus with fixed splits.
    shots : int, optional
        Number of training clips of each class; None for all.
    draw : int
        Seed of their draw.
    overrides : dict
        All overrides, including those of the variant.
    """

    corpus: str
    variant: Variant
    seed: int
    fold: int | None = None
    shots: int | None = None
    draw: int = 0
    overrides: Mapping = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Returns the folder of the cell, relative to the plan's output."""
        parts = [self.corpus, self.variant.label]
        if self.shots is not None:
            parts += [f"shots_{self.shots}", f"draw_{self.draw}"]
        parts.append(f"seed_{self.seed}")
        if self.fold is not None:
            parts.append(f"fold_{self.fold}")
        return "/".join(parts)

    @property
    def yaml(self) -> str:
        """Returns the YAML, relative to the recipe's folder."""
        return f"hparams/{self.variant.yaml}.yaml"

    def yaml_in(self, recipes: Path) -> Path:
        """Returns the YAML in a folder of recipes."""
        return recipes / self.corpus / self.yaml

    def options(self) -> dict:
        """Returns the options of ``train.py`` but for its folders."""
        own = {"seed": self.seed}
        if self.fold is not None:
            own["test_fold"] = self.fold
        if self.shots is not None:
            own |= {"shots": self.shots, "draw": self.draw}
        return {**own, **self.overrides}


@dataclass
class Plan:
    """Content of a plan's YAML, and what the recipes say of its corpora.

    See the text of this module.
    """

    source: str
    title: str
    corpora: list[str]
    variants: list[Variant]
    paper: str | None = None
    folds: list[int] | None = None
    seeds: list[int] = field(default_factory=lambda: [1234])
    shots: list[int | None] = field(default_factory=lambda: [None])
    draws: list[int] = field(default_factory=lambda: [0])
    overrides: dict = field(default_factory=dict)
    corpus_overrides: dict[str, dict] = field(default_factory=dict)
    data_folders: dict[str, str] = field(default_factory=dict)
    search: dict | None = None
    recipes: dict[str, Recipe] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Returns the name of the plan's own folder in an output folder."""
        return Path(self.source).name.removesuffix(".yaml")

    def overrides_of(self, corpus: str, variant: Variant) -> dict:
        """Returns all overrides of a variant on a corpus."""
        return {
            **self.overrides,
            **self.corpus_overrides.get(corpus, {}),
            **variant.overrides,
        }

    def folds_of(self, corpus: str, variant: Variant) -> Sequence[int | None]:
        """Returns the folds to test a variant on; [None] for fixed splits."""
        overrides = self.overrides_of(corpus, variant)
        n_folds = self.recipes[corpus].folds_under(overrides)
        return (self.folds or range(1, n_folds + 1)) if n_folds else [None]

    def cells(self) -> list[Cell]:
        """Returns all runs, fold by fold, so that a table fills evenly."""
        found = []
        for corpus in self.corpora:
            folds = {v.label: self.folds_of(corpus, v) for v in self.variants}
            every = dict.fromkeys(k for own in folds.values() for k in own)
            found += [
                Cell(
                    corpus,
                    variant,
                    seed,
                    fold,
                    shots,
                    0 if shots is None else draw,
                    self.overrides_of(corpus, variant),
                )
                for seed, fold, shots, draw, variant in product(
                    self.seeds, every, self.shots, self.draws, self.variants
                )
                if fold in folds[variant.label]
            ]
        # All clips can be drawn in one way only, so draws of them are one cell.
        return list({cell.name: cell for cell in found}.values())


def load_plan(
    source: str | Path,
    recipes: Path,
    changes: Mapping | None = None,
) -> Plan:
    """Reads a plan and checks it against the recipes.

    Arguments
    ---------
    source : str or Path
        YAML file, or name of a shipped plan.
    recipes : Path
        The folder with the recipes.
    changes : dict, optional
        Keys of the plan to replace; ``overrides`` and ``data_folders`` are
        merged with those of the plan.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        If a name is unknown or missing, suggesting the nearest known one.
    """
    file = Path(source)
    if not file.is_file():
        file = SHIPPED / f"{source}.yaml"
    if not file.is_file():
        shipped = sorted(path.stem for path in SHIPPED.glob("*.yaml"))
        raise ValueError(
            f"There is no plan '{source}': give a YAML file or one of "
            f"{', '.join(shipped)}."
        )
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is no text in UTF-8: {error}") from error
    values = read_yaml(text, str(file))
    if not isinstance(values, dict):
        raise ValueError(f"{file} is not a plan: it has no keys.")
    for key, value in (changes or {}).items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            value = {**values[key], **value}
        values[key] = value
    known = set(Plan.__dataclass_fields__) - {"source", "recipes"}
    require(values, sorted(known), "key", str(file))
    check_kinds(values, str(file))
    for key in ("title", "corpora", "variants"):
        if not values.get(key):
            raise ValueError(f"{file} has no {key}: say which.")
    values["variants"] = [_variant(row, file) for row in values["variants"]]
    corpora = corpora_in(recipes)
    require(values["corpora"], corpora, "corpus", str(file))
    require(values.get("data_folders", {}), corpora, "corpus", str(file))
    facts = {name: read_recipe(recipes / name) for name in values["corpora"]}
    plan = Plan(source=str(source), recipes=facts, **values)
    check_plan(plan, recipes, str(file))
    check_own(plan, (changes or {}).get("overrides", {}), "--set")
    for overrides in (plan.overrides, *plan.corpus_overrides.values()):
        if overrides.get("source") == "demo":
            overrides["source"] = str(BACKBONE)
    return plan


def _variant(row, file):
    """Reads an entry of the plan's list of variants."""
    if isinstance(row, str):
        return Variant(row.replace("/", "_"), row)
    if not (
        isinstance(row, dict)
        and isinstance(row.get("label"), str)
        and isinstance(row.get("yaml"), str)
        and isinstance(row.get("overrides", {}), dict)
        and isinstance(row.get("space", {}), dict)
    ):
        raise ValueError(
            f"{file}: a variant is the name of a YAML, or a mapping with "
            f"label, yaml and overrides, not {row!r}."
        )
    require(row, Variant.__dataclass_fields__, "key of a variant", str(file))
    return Variant(**row)
