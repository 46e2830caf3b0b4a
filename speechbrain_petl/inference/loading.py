"""What all interfaces on artefacts share."""

import torch
from speechbrain_petl.artefacts.pretrainer import say_that_it_executes
from speechbrain_petl.utils.messages import first_line, printable
from torch import nn

from speechbrain.inference.interfaces import Pretrained


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
    """

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
