"""Models that are refused, since something in them would silently not train."""

from speechbrain_petl.lobes.sites import Found
from torch import nn


def refuse_no_grad(module: nn.Module, found: Found) -> None:
    """Refuses a lobe of SpeechBrain's that runs its backbone without gradients.

    Raises
    ------
    ValueError
        If a module that holds the backbone says ``freeze``.

    Example
    -------
    >>> from speechbrain_petl.lobes.sites import find_backbone
    >>> from transformers import ASTConfig, ASTModel
    >>> lobe = nn.ModuleDict(
    ...     {"model": ASTModel(ASTConfig(num_hidden_layers=1))}
    ... )
    >>> lobe.freeze = True
    >>> refuse_no_grad(lobe, find_backbone(lobe))
    Traceback (most recent call last):
    ...
    ValueError: ModuleDict was made with freeze: True and runs its backbone ...
    """
    parts = found.path.split(".") if found.path else []
    for depth in range(len(parts)):
        holder = module.get_submodule(".".join(parts[:depth]))
        if getattr(holder, "freeze", False) is True:
            raise ValueError(
                f"{type(holder).__name__} was made with freeze: True and runs "
                "its backbone without gradients, so that nothing inside would "
                "train: give freeze: False; PETLModel freezes it."
            )


def refuse_head(module: nn.Module, found: Found) -> None:
    """Refuses a model that has parameters outside of its backbone.

    They would stay frozen, at random if the model has a new head, and could
    not be named.

    Raises
    ------
    ValueError
        If there is one, naming it and the part to give instead.

    Example
    -------
    >>> from speechbrain_petl.lobes.sites import find_backbone
    >>> from transformers import ASTConfig, ASTForAudioClassification
    >>> model = ASTForAudioClassification(ASTConfig(num_hidden_layers=1))
    >>> refuse_head(model, find_backbone(model))
    Traceback (most recent call last):
    ...
    ValueError: ASTForAudioClassification has parameters outside of its ...
    """
    within = {id(p) for p in found.model.parameters()}
    outside = [
        name for name, p in module.named_parameters() if id(p) not in within
    ]
    if outside:
        raise ValueError(
            f"{type(module).__name__} has parameters outside of its backbone, "
            f"such as '{outside[0]}', which would stay frozen: adapt its part "
            f"'{found.path}' alone, and put a head of your own behind it."
        )
