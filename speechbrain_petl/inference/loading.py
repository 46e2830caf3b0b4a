"""What all interfaces on artefacts share."""

import os
from typing import Any, ClassVar, TypeVar

import torch
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.pretrainer import say_that_it_executes
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.training.precision import best_precision
from speechbrain_petl.utils.messages import first_line, printable
from torch import nn

from speechbrain.dataio.preprocess import AudioNormalizer
from speechbrain.inference.interfaces import Pretrained

Interface = TypeVar("Interface", bound="OnArtefact")


class Unchanged(nn.Module):
    """No normalization: the front end has normalized the features already.

    Stands where an interface of SpeechBrain expects a normalization.
    """

    def forward(self, feats: torch.Tensor, lens=None) -> torch.Tensor:
        """Returns the features [B, frames, mels] as they are."""
        del lens
        return feats


class OnArtefact(Pretrained):
    """Base class of SpeechBrain's interfaces on an artefact.

    Arguments
    ---------
    See ``speechbrain.inference.interfaces.Pretrained``.

    Attributes
    ----------
    TASKS : tuple of str
        Tasks whose artefacts it loads.
    """

    TASKS: ClassVar[tuple[str, ...]]

    @classmethod
    def from_artefact(
        cls: type[Interface],
        source: str | os.PathLike,
        revision: str | None = None,
        backbone: str | Backbone | None = None,
        device: str = "cpu",
        fetch: bool | None = None,
        precision: str = "fp32",
    ) -> Interface:
        """Loads an artefact as data; none of its code is run.

        Arguments
        ---------
        source : str or path-like
            A folder, or an id of the Hugging Face hub.
        revision : str, optional
            Branch, tag or commit on the hub.
        backbone : str or Backbone, optional
            Folder or hub id to take instead of the one that it names, or a
            loaded backbone, whose tensors are shared.
        device : str
            Where everything is computed.
        fetch : bool, optional
            As in ``Artefact.backbone``.
        precision : str
            As in ``AdapterBank``.

        Returns
        -------
        OnArtefact
            Of the class that it is called on.

        Raises
        ------
        ValueError
            If it is no whole artefact, of another task, or anything of it
            does not fit.
        """
        if precision == "auto":
            precision = best_precision(device)
        artefact = Artefact.open(source, revision)
        artefact.require(*cls.TASKS)
        trained = artefact.load(artefact.backbone(backbone, fetch).to(device))
        modules, hparams = cls.parts(artefact, trained)
        rate = artefact.metadata["features"]["sample_rate"]
        return cls(
            modules={
                "compute_features": trained.compute_features,
                "mean_var_norm": Unchanged(),
                **modules,
            },
            hparams={"audio_normalizer": AudioNormalizer(rate), **hparams},
            run_opts={"device": device, "precision": precision},
        )

    @classmethod
    def parts(
        cls, artefact: Artefact, trained: Trained
    ) -> tuple[dict[str, nn.Module], dict[str, Any]]:
        """Returns the modules and hyperparameters of its own."""
        raise NotImplementedError

    @classmethod
    def from_hparams(cls, *args, **kwargs):
        """Like SpeechBrain's; says once that it runs what the YAML names."""
        say_that_it_executes()
        try:
            return super().from_hparams(*args, **kwargs)
        except ImportError as error:
            raise ValueError(
                "This artefact names something that is not there "
                f"({printable(first_line(error))}): it was written by another "
                "version of speechbrain-petl, or is not whole."
            ) from error
