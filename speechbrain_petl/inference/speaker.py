"""PETLSpeaker: SpeechBrain's interface of speaker recognition on an artefact."""

import torch
from speechbrain_petl.artefacts.tasks import EMBEDDING
from speechbrain_petl.dataio.audio import read_audio
from speechbrain_petl.inference.loading import OnArtefact, Unchanged
from speechbrain_petl.inference.windows import check_finite, check_rows
from speechbrain_petl.training.embeddings import (
    SCORINGS,
    embed_utterances,
    mean_of_windows,
)
from speechbrain_petl.utils.messages import printable
from torch import nn

from speechbrain.inference.speaker import SpeakerRecognition


class Embedder(nn.Module):
    """An encoder and the head that ends at its embeddings, as one module.

    Arguments
    ---------
    encoder : torch.nn.Module
        The adapted backbone.
    head : torch.nn.Module
        From vectors [B, d] to embeddings [B, e].

    Example
    -------
    >>> class Mean(nn.Module):
    ...     def forward(self, feats, lens):
    ...         return feats.mean(dim=1)
    >>> model = Embedder(Mean(), nn.Linear(8, 3))
    >>> model(torch.rand(2, 5, 8), torch.ones(2)).shape
    torch.Size([2, 3])
    """

    def __init__(self, encoder: nn.Module, head: nn.Module):
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(
        self, feats: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Computes embeddings [B, e] of features [B, ...]."""
        return self.head(self.encoder(feats, lens))


class PETLSpeaker(OnArtefact, SpeakerRecognition):
    """Verifies speakers with an adapter that was trained with this package.

    ``PETLSpeaker.from_artefact(source)`` loads an artefact as data, and
    ``PETLSpeaker.from_hparams(source, ...)`` in SpeechBrain's own way, which
    constructs what the artefact's YAML names: see ``PETLClassifier``.

    The verbs are ``SpeakerRecognition``'s. Scores are made as in the run that
    was tested: of windows of each utterance, by what ``scoring`` says.

    Arguments
    ---------
    See ``speechbrain.inference.interfaces.Pretrained``.
    """

    HPARAMS_NEEDED = ["decision"]
    TASKS = (EMBEDDING,)

    @classmethod
    def parts(cls, artefact, trained):
        """Returns encoder with head, and what decides on two speakers."""
        return {
            "embedding_model": Embedder(trained.encoder, trained.classifier),
            "mean_var_norm_emb": Unchanged(),
        }, {"decision": artefact.metadata["decision"]}

    @property
    def threshold(self) -> float | None:
        """Score above which the validation's speakers were one; or None."""
        return self.hparams.decision["threshold"]

    def _windows(self, wavs, wav_lens=None):
        """Embeddings [B, windows, d] of waveforms [B, samples]."""
        wavs = wavs.unsqueeze(0) if wavs.dim() == 1 else wavs
        if wav_lens is None:
            wav_lens = torch.ones(len(wavs))
        wavs, wav_lens = wavs.to(self.device).float(), wav_lens.to(self.device)
        with self.inference_ctx:
            return embed_utterances(
                wavs,
                wav_lens,
                self.mods.compute_features,
                self.mods.embedding_model,
            )

    def encode_batch(
        self,
        wavs: torch.Tensor,
        wav_lens: torch.Tensor | None = None,
        normalize: bool = False,
    ) -> torch.Tensor:
        """Computes one embedding an utterance.

        Arguments
        ---------
        wavs : torch.Tensor
            Waveforms [B, samples] or [samples] at the artefact's rate,
            zero-padded to the longest; ``audio_normalizer`` converts others.
        wav_lens : torch.Tensor, optional
            Relative lengths [B]; all whole by default.
        normalize : bool
            If True, scales the embeddings to unit length.

        Returns
        -------
        torch.Tensor
            Embeddings [B, 1, d], as ``SpeakerRecognition`` has them: the mean
            over windows of embeddings of unit length.

        Raises
        ------
        ValueError
            If one is not finite, naming the utterance.
        """
        embeddings = mean_of_windows(self._windows(wavs, wav_lens))
        check_rows(embeddings)
        if normalize:
            embeddings = nn.functional.normalize(embeddings)
        return embeddings.unsqueeze(1)

    def verify_batch(
        self,
        wavs1: torch.Tensor,
        wavs2: torch.Tensor,
        wav1_lens: torch.Tensor | None = None,
        wav2_lens: torch.Tensor | None = None,
        threshold: float | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores pairs of utterances, and decides whether each is of one speaker.

        Arguments
        ---------
        wavs1, wavs2 : torch.Tensor
            Waveforms [B, samples] or [samples], as in ``encode_batch``.
        wav1_lens, wav2_lens : torch.Tensor, optional
            Their relative lengths [B].
        threshold : float, optional
            Score above which both are of one speaker; the artefact's by
            default, which was chosen on validation trials.

        Returns
        -------
        score : torch.Tensor
            Scores [B].
        prediction : torch.Tensor
            True [B] where they are of one speaker.

        Raises
        ------
        ValueError
            If there is no threshold, or an embedding is not finite.
        """
        one, other = (
            self._windows(wavs, lens)
            for wavs, lens in ((wavs1, wav1_lens), (wavs2, wav2_lens))
        )
        check_rows(one.flatten(1))
        check_rows(other.flatten(1))
        return self._decide(one, other, threshold)

    def _decide(self, one, other, threshold):
        """Scores embeddings [B, windows, d] of pairs, and decides."""
        threshold = self.threshold if threshold is None else threshold
        if threshold is None:
            raise ValueError(
                "This artefact has no threshold, since it was trained without "
                "validation trials: give one (threshold=...)."
            )
        if len(one) != len(other):
            raise ValueError(
                f"There are {len(one)} and {len(other)} utterances: give as "
                "many of each, which are compared in pairs."
            )
        rows = torch.arange(len(one))
        score = SCORINGS[self.hparams.decision["scoring"]](
            torch.cat([one, other]), rows, rows + len(one)
        )
        return score, score > threshold

    def verify_files(
        self, path_x: str, path_y: str, threshold: float | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Like ``verify_batch``, for two audio files of any rate and length.

        Arguments
        ---------
        path_x, path_y : str
            Local files.
        threshold : float, optional
            As in ``verify_batch``.

        Returns
        -------
        score, prediction : torch.Tensor
            Of the pair, without a dimension.

        Raises
        ------
        ValueError
            If there is no such file, it is not audio, was cut off, holds no
            sample, or the model's output for it is not finite.
        """
        both = []
        for path in (path_x, path_y):
            wave = read_audio(str(path), self.audio_normalizer)
            both.append(self._windows(wave))
            check_finite(both[-1], f"'{printable(path)}'")
        one, other = both
        score, prediction = self._decide(one, other, threshold)
        return score[0], prediction[0]
