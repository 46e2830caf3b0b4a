"""The cost of a plan in floating-point operations."""

import tempfile
from collections import Counter
from pathlib import Path

import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain_petl.experiments.planning.plan import Cell, Plan
from speechbrain_petl.experiments.planning.recipes import read_recipe
from speechbrain_petl.lobes.weightless import weightless
from speechbrain_petl.utils.messages import first_line, name_some
from torch.utils.flop_counter import FlopCounterMode

GIGA = 1e9


def operations(cell: Cell, recipes: Path) -> tuple[float, float, dict]:
    """Counts the operations of a cell's model on one clip.

    The model is made from its configuration, without a checkpoint: shapes
    are all that is counted.

    Arguments
    ---------
    cell : Cell
        The run.
    recipes : Path
        The folder with the recipes.

    Returns
    -------
    training : float
        Forward and backward pass, in FLOPs.
    forward : float
        Forward pass alone.
    hparams : dict
        What the YAML says.
    """
    text = cell.yaml_in(recipes).read_text(encoding="utf-8")
    keys = {line.split(":")[0] for line in text.splitlines()}
    overrides = {k: v for k, v in cell.options().items() if k in keys}
    with tempfile.TemporaryDirectory() as folder, weightless():
        # checkpointers make their folders
        overrides |= {"data_folder": folder, "output_folder": folder}
        hparams = load_hyperpyyaml(text, overrides)
        feats = torch.zeros(1, *hparams["backbone"].input_shape)
    encoder = hparams["encoder"]
    encoder.train()
    with FlopCounterMode(display=False) as counter:
        embedding = encoder(feats)
    forward = counter.get_total_flops() / len(feats)
    if not embedding.requires_grad:
        return forward, forward, hparams
    with FlopCounterMode(display=False) as counter:
        embedding.sum().backward()
    backward = counter.get_total_flops() / len(feats)
    return forward + backward, forward, hparams


def estimate(cell: Cell, recipes: Path) -> float:
    """Estimates the operations of a whole run on the whole corpus.

    Arguments
    ---------
    cell : Cell
        The run.
    recipes : Path
        The folder with the recipes.

    Returns
    -------
    float
    """
    training, forward, hparams = operations(cell, recipes)
    recipe = read_recipe(recipes / cell.corpus)
    train, valid, test = recipe.clips
    if cell.shots is not None:
        train = cell.shots * recipe.classes
    epochs = hparams["number_of_epochs"]
    return epochs * (train * training + valid * forward) + test * forward


def show(work: list, plan: Plan, recipes: Path) -> int:
    """Prints the cells of a plan, where they stand and what is left to pay.

    Arguments
    ---------
    work : list of Work
        As from ``survey``.
    plan : Plan
        The plan.
    recipes : Path
        The folder with the recipes.

    Returns
    -------
    int
        The exit code.
    """
    costs: dict[tuple, float | None] = {}
    reasons: dict[str, list[str]] = {}  # why some cannot be counted: which
    for w in work:
        print(f"{w.state:12} {w.job.name}")
        kind = (w.cell.corpus, w.cell.variant.label, w.cell.shots)
        if kind in costs:
            continue
        try:
            costs[kind] = estimate(w.cell, recipes) / GIGA
        except (ValueError, KeyError, OSError) as error:
            # nobody knows the backbone's sizes, or a recipe is of another kind
            reasons.setdefault(first_line(error), []).append(w.job.name)
            costs[kind] = None
    for reason, names in reasons.items():
        print(f"No estimate for cells like {name_some(names)}: {reason}")
    states = Counter(w.state for w in work)
    print(", ".join(f"{count} {what}" for what, count in states.items()))
    left = [
        costs[(w.cell.corpus, w.cell.variant.label, w.cell.shots)]
        for w in work
        if w.state != "finished"
    ]
    known = [cost for cost in left if cost is not None]
    if left and not known:
        return 0  # the reasons have been told
    of = "" if len(known) == len(left) else f"{len(known)} of "
    print(
        f"{plan.title}: about {sum(known):,.0f} GFLOPs left in {of}"
        f"{len(left)} cells, from the models' own count of one clip, the "
        "official number of clips and the epochs; interrupted cells count "
        "whole"
    )
    return 0
