"""PETLClassifier: SpeechBrain's inference interface on an artefact."""

import math

import torch
from speechbrain_petl.dataio.audio import read_audio
from speechbrain_petl.inference.windows import WINDOWS_AT_ONCE, cut
from torch import nn

from speechbrain.inference.classifiers import EncoderClassifier


class Unchanged(nn.Module):
    """Where an ``EncoderClassifier`` normalises: the front end has done so."""

    def forward(self, feats: torch.Tensor, lens=None) -> torch.Tensor:
        """Gives the features [B, frames, mels] back."""
        del lens
        return feats


class PETLClassifier(EncoderClassifier):
    """Classifies audio with an adapter that was trained with this package.

    ``PETLClassifier.from_hparams(source, savedir=None, overrides={},
    run_opts=None)`` loads an artefact from a folder or from the Hugging Face
    hub (``fetch_config=FetchConfig(revision=...)`` pins a revision). It
    constructs what the artefact's ``hyperparams.yaml`` names: use it on
    artefacts that you trust. A backbone that was a local folder is found as
    ``speechbrain_petl.artefacts.backbones.locate`` says, or given by
    ``overrides={"ast_source": "/path/to/folder"}``.

    What it returns is as in ``EncoderClassifier``. Different from there,
    padding inside a batch does not change a clip's result.

    Arguments
    ---------
    See ``speechbrain.inference.interfaces.Pretrained``.
    """

    HPARAMS_NEEDED = ["label_encoder"]

    def encode_batch(
        self,
        wavs: torch.Tensor,
        wav_lens: torch.Tensor | None = None,
        normalize: bool = False,
    ) -> torch.Tensor:
        """Computes embeddings.

        Arguments
        ---------
        wavs : torch.Tensor
            Waveforms [B, samples] or [samples] at the artefact's rate,
            zero-padded to the longest; ``audio_normalizer`` converts others.
        wav_lens : torch.Tensor, optional
            Relative lengths [B]; all whole by default.
        normalize : bool
            Whether to scale the embeddings to unit length.

        Returns
        -------
        torch.Tensor
            Embeddings [B, d].
        """
        if wavs.dim() == 1:
            wavs = wavs.unsqueeze(0)
        if wav_lens is None:
            wav_lens = torch.ones(len(wavs))
        wavs, wav_lens = wavs.to(self.device).float(), wav_lens.to(self.device)
        with self.inference_ctx:
            feats = self.mods.compute_features(wavs, wav_lens)
            embeddings = self.mods.embedding_model(feats, wav_lens)
        embeddings = embeddings.float()
        return nn.functional.normalize(embeddings) if normalize else embeddings

    def classify_batch(
        self, wavs: torch.Tensor, wav_lens: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, list[str]]:
        """Classifies waveforms.

        Arguments
        ---------
        wavs, wav_lens
            As in ``encode_batch``.

        Returns
        -------
        out_prob : torch.Tensor
            Log posteriors [B, classes].
        score : torch.Tensor
            Log posterior [B] of the best class.
        index : torch.Tensor
            Index [B] of the best class.
        text_lab : list of str
            Label of the best class.
        """
        return self._decide(
            self.mods.classifier(self.encode_batch(wavs, wav_lens))
        )

    def classify_file(
        self, path: str
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, list[str]]:
        """Classifies an audio file of any rate, length and number of channels.

        A clip of more frames than the artefact's ``max_length`` is cut into
        the fewest windows of that length that cover it, the first at its
        start, the last at its end, evenly spread; their posteriors are
        averaged.

        Arguments
        ---------
        path : str
            A local file.

        Returns
        -------
        out_prob, score, index, text_lab
            As in ``classify_batch``, for a batch of one.

        Raises
        ------
        ValueError
            If there is no such file, it is not audio, was cut off, or holds
            no sample.
        """
        waveform = read_audio(path, self.audio_normalizer)
        windows = cut(waveform, self.mods.compute_features)
        posteriors = torch.cat(
            [
                self.classify_batch(chunk)[0]
                for chunk in windows.split(WINDOWS_AT_ONCE)
            ]
        )
        mean = posteriors.logsumexp(dim=0, keepdim=True) - math.log(
            len(windows)
        )
        return self._decide(mean)

    def _decide(self, posteriors):
        """The best class and its label, for log posteriors [B, classes]."""
        score, index = posteriors.max(dim=-1)
        labels = self.hparams.label_encoder.decode_torch(index)
        return posteriors, score, index, labels
