"""What backbones that read spectrograms of one length have in common."""

from typing import Any

import torch
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.lobes.front_end import FrontEnd


class SpectrogramBackbone(Backbone):
    """Base class of backbones whose input is [B, max_length, mel bins].

    They were trained to read the padding too: clips are of one length.
    """

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Frames and mel bins of a clip's features."""
        return self.max_length, self.config.num_mel_bins

    def tokens(
        self, inputs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes the final LayerNorm's output.

        Arguments
        ---------
        inputs : torch.Tensor
            Features [B, frames, mels].
        lens : torch.Tensor, optional
            Ignored: the padding is read too.

        Returns
        -------
        torch.Tensor
            Tokens [B, T, d].

        Raises
        ------
        ValueError
            If the features are of another size.
        """
        del lens
        frames, mels = self.input_shape
        if inputs.shape[1:] != (frames, mels):
            name = type(self).__name__
            raise ValueError(
                f"The features have {inputs.shape[1]} frames of "
                f"{inputs.shape[2]} bins, but this {name} reads {frames} "
                f"frames of {mels}: give the front end the same max_length "
                f"and n_mels as the {name}."
            )
        return self.model(self.arranged(inputs)).last_hidden_state

    def arranged(self, inputs: torch.Tensor) -> torch.Tensor:
        """Returns features [B, frames, mels] as the stock model reads them."""
        return inputs

    def forward(
        self, inputs: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes embeddings [B, embedding_size] of [B, frames, mels]."""
        return self.pool(self.tokens(inputs, lens))

    def front_end(self, **options: Any) -> FrontEnd:
        """Returns a front end of this clip length and as many mel bins."""
        return super().front_end(n_mels=self.config.num_mel_bins, **options)
