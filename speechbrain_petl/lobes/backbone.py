"""The contract of a backbone: what the rest of the library may ask of it."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import torch
from speechbrain_petl.lobes.front_end import FrontEnd
from speechbrain_petl.lobes.naming import Tensors, stock_tensors
from speechbrain_petl.lobes.share import share
from speechbrain_petl.lobes.sites import find_backbone, find_sites
from speechbrain_petl.lobes.wrapper import special_tokens
from torch import nn


class Identity(NamedTuple):
    """What decides what a backbone computes, for its fingerprint.

    Arguments
    ---------
    fields : dict of str to object
        Fields of the configuration.
    tensors : dict of str to torch.Tensor
        Tensors by role; not those that follow the clip length.
    """

    fields: dict[str, Any]
    tensors: Tensors


class Timeline(NamedTuple):
    """Where in a clip a backbone's tokens are, in samples of the waveform.

    Arguments
    ---------
    first : float
        Center of what the first one reads.
    step : float
        From one to the next.
    """

    first: float
    step: float


class Backbone(nn.Module, ABC):
    """Base class of the lobes that hold one stock Hugging Face model.

    A family of backbones is one subclass and one row of ``table.FAMILIES``.
    Nothing outside of these two knows the family. A subclass loads its stock
    model in ``__init__(source, revision, **options)``, frozen, in eval mode
    and in float32, and defines the abstract methods; its class attributes say
    what identifies it.

    Attributes
    ----------
    IDENTITY_FIELDS : tuple of str
        Fields of the configuration that decide, beside tensors and clip
        length, what the model computes; None where a model has no such field.
    FITTED_TENSORS : tuple of str
        Ends of the names of tensors that follow the clip length.
    FRONT_END : type
        Class of the front end that its kind is trained with.
    model : torch.nn.Module
        Stock model.
    source : str
        Model of the Hugging Face hub, or local folder.
    revision : str, optional
        Branch, tag or commit on the hub.
    """

    IDENTITY_FIELDS: ClassVar[tuple[str, ...]]
    FITTED_TENSORS: ClassVar[tuple[str, ...]] = ()
    FRONT_END: ClassVar[type[FrontEnd]]

    model: nn.Module
    source: str
    revision: str | None

    @property
    def config(self) -> Any:
        """Configuration of the stock model, as it is used."""
        return self.model.config

    @property
    def embedding_size(self) -> int:
        """Size of the embeddings after pooling."""
        return self.config.hidden_size

    @property
    def n_special(self) -> int:
        """Number of special tokens in front, as wrappers have left them."""
        family = find_backbone(self.model).family
        tokens: Any = self.model
        for part in family.sites["tokens"].split("."):
            while part not in dict(tokens.named_children()):
                tokens = tokens.target  # of a wrapper
            tokens = getattr(tokens, part)
        special = special_tokens(tokens)
        return family.n_special if special is None else special

    @property
    @abstractmethod
    def max_length(self) -> int:
        """Length of a clip, in the steps of the front end's output."""

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one clip's input, without the batch's axis."""

    @abstractmethod
    def tokens(
        self, inputs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes the final tokens.

        Arguments
        ---------
        inputs : torch.Tensor
            Output [B, ...] of the front end.
        lens : torch.Tensor, optional
            Relative lengths [B]; all are whole by default.

        Returns
        -------
        torch.Tensor
            Tokens [B, T, d].
        """

    @abstractmethod
    def forward(
        self, inputs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes embeddings [B, embedding_size]; see ``tokens``."""

    def pool(self, tokens: torch.Tensor) -> torch.Tensor:
        """Pools final tokens [B, T, d] to embeddings [B, embedding_size].

        What ``forward`` does behind ``tokens``, for states that were computed
        before (see ``cut``).

        Raises
        ------
        ValueError
            If the lobe does not say how.
        """
        raise ValueError(
            f"{type(self).__name__} does not say how it pools tokens, so that "
            "only embeddings can be stored, and no learner can read its "
            "layers: define pool() in its class."
        )

    @property
    def pools_linearly(self) -> bool:
        """True if ``pool`` is an average over some of the tokens."""
        return False

    @abstractmethod
    def timeline(self, hop_samples: int) -> Timeline:
        """Returns where the tokens of ``in_time`` are.

        Arguments
        ---------
        hop_samples : int
            That of the front end.
        """

    def in_time(
        self, inputs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes one token for each place in time.

        Arguments
        ---------
        inputs, lens
            As in ``tokens``.

        Returns
        -------
        torch.Tensor
            Tokens [B, t, d] without special ones and prompts.
        """
        return self.tokens(inputs, lens)[:, self.n_special :]

    def identity(self) -> Identity:
        """Returns what decides what this backbone computes."""
        tensors = stock_tensors(find_sites(self.model), self.model)
        return Identity(
            {
                name: getattr(self.config, name, None)
                for name in self.IDENTITY_FIELDS
            },
            {
                name: tensor
                for name, tensor in tensors.items()
                if not name.endswith(self.FITTED_TENSORS)
            },
        )

    def refit(self, **options: Any) -> "Backbone":
        """Returns this backbone for another clip length or pooling.

        Arguments
        ---------
        **options : dict
            Arguments of the class, apart from ``source`` and ``revision``.

        Returns
        -------
        Backbone
            Shares every tensor with this one but those that follow the clip
            length. This one, which should be as its checkpoint has it, stays
            as it is.
        """
        fitted = share(self)
        fitted.configure(**options)
        fitted.model.requires_grad_(False)
        return fitted

    @abstractmethod
    def configure(self, **options: Any) -> None:
        """Applies the arguments of ``refit``, in place."""

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """Returns the arguments of ``configure`` as they are in use."""

    def front_end(self, **options: Any) -> FrontEnd:
        """Returns a front end that prepares this backbone's input.

        Arguments
        ---------
        **options : dict
            Options of ``FRONT_END``; what is left out or None is as the
            checkpoint needs it, and the clip length this backbone's. So a
            YAML's options may be set to null for a family without them.

        Raises
        ------
        ValueError
            If the front end has no such option.
        """
        given = {k: v for k, v in options.items() if v is not None}
        return construct(
            self.FRONT_END, {"max_length": self.max_length, **given}
        )

    def record(self) -> dict[str, Any]:
        """Returns what an artefact records beside source and fingerprint."""
        return {"hidden_size": self.config.hidden_size, **self.options()}


def construct(kind: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Calls a class with options that a user gave.

    Raises
    ------
    ValueError
        If it has no such option.

    Example
    -------
    >>> construct(nn.Linear, {"in_features": 1, "out": 2})
    Traceback (most recent call last):
    ...
    ValueError: Linear has no option 'out'; its options are in_features, ...
    """
    known = inspect.signature(kind).parameters
    for name in options:
        if name not in known:
            raise ValueError(
                f"{kind.__name__} has no option '{name}'; its options are "
                f"{', '.join(known)}."
            )
    return kind(**options)
