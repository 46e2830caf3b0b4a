"""Families of methods, and the color of each."""

from collections.abc import Iterable

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

#: Beginnings of variants' names, the longest of which counts.
FAMILIES = {
    "everything": ("full_ft",),
    "probes and learners": ("linear", "weighted_sum", "l_adapters", "ladder"),
    "biases and scales": ("bitfit", "ssf"),
    "LoRA": ("lora",),
    "prompts and prefixes": ("spt", "dpt", "prefix", "input_prompt"),
    "adapters": ("adapter", "convpass", "conformer", "rep_adapter"),
    "mixtures of adapters": ("soft_moa", "dense_moa"),
    "combinations": (
        *("adapter_dpt", "adapter_lora", "adapter_hydra"),
        *("adapter_hou_mixed", "ipet"),
    ),
}
OTHER = "other"
# Okabe and Ito's, which color-blind people tell apart, and a gray
PALETTE = ("#000000", "#999999", "#56b4e9", "#0072b2", "#009e73")
PALETTE += ("#d55e00", "#cc79a7", "#e69f00", "#5c5c5c")
COLORS = dict(zip((*FAMILIES, OTHER), PALETTE, strict=True))
#: Beginnings of names that say something else than the method.
BEFORE = ("published_", "wav2vec2_", "upper_")


def family_of(variant: str) -> str:
    """Returns the family of a variant, by its name.

    Example
    -------
    >>> family_of("adapter_hou_par"), family_of("wav2vec2_adapter_lora")
    ('adapters', 'combinations')
    >>> family_of("mine")
    'other'
    """
    for folder in BEFORE:
        variant = variant.removeprefix(folder)
    found = [
        (len(start), family)
        for family, starts in FAMILIES.items()
        for start in starts
        if variant.startswith(start)
    ]
    return max(found)[1] if found else OTHER


def legend_of_families(figure: Figure, variants: Iterable[str]) -> None:
    """Says below a figure which color is which family.

    Arguments
    ---------
    figure : matplotlib.figure.Figure
        With constrained layout.
    variants : iterable of str
        Names of what is drawn; other families are left out.
    """
    here = {family_of(variant) for variant in variants}
    handles = [
        Line2D([], [], linestyle="", marker="o", color=color, label=family)
        for family, color in COLORS.items()
        if family in here
    ]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=min(4, len(handles)),
        fontsize=8,
        frameon=False,
    )
