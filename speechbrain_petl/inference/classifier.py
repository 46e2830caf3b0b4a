"""PETLClassifier: SpeechBrain's inference interface on an artefact."""

from functools import cached_property

import torch
from speechbrain_petl.artefacts.decisions import Decision
from speechbrain_petl.artefacts.tasks import LABELLED, decision_of, task_of
from speechbrain_petl.dataio.audio import read_audio
from speechbrain_petl.dataio.windows import average, cut
from speechbrain_petl.inference.loading import OnArtefact
from speechbrain_petl.inference.windows import (
    WINDOWS_AT_ONCE,
    check_finite,
    check_rows,
)
from speechbrain_petl.utils.messages import printable
from torch import nn

from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.inference.classifiers import EncoderClassifier


class PETLClassifier(OnArtefact, EncoderClassifier):
    """Classifies audio with an adapter that was trained with this package.

    ``PETLClassifier.from_artefact(source)`` loads an artefact as data.
    ``PETLClassifier.from_hparams(source, savedir=None, overrides={},
    run_opts=None)`` is SpeechBrain's own way
    (``fetch_config=FetchConfig(revision=...)`` pins a revision). It constructs
    what the artefact's ``hyperparams.yaml`` names, and warns of that: use it
    on artefacts that you trust. A backbone that was a local folder is found
    as ``speechbrain_petl.inference.locate`` says, or given by
    ``overrides={"source": "/path/to/folder"}``.

    Results are as in ``EncoderClassifier``, except that padding inside a
    batch does not change a clip's result, and that an output that is not
    finite raises a ``ValueError``. With a tagger's artefact, log posteriors
    are the log probabilities of each label, and a clip's ``text_lab`` is the
    list of all labels that are above their thresholds.

    Arguments
    ---------
    See ``speechbrain.inference.interfaces.Pretrained``.
    """

    HPARAMS_NEEDED = ["label_encoder"]
    TASKS = LABELLED

    @classmethod
    def parts(cls, artefact, trained):
        """Returns encoder, head and what decides on labels."""
        labels = CategoricalEncoder()
        labels.update_from_iterable(artefact.labels)
        labels.expect_len(len(artefact.labels))
        return {
            "embedding_model": trained.encoder,
            "classifier": nn.Sequential(
                trained.classifier, trained.decision.activation
            ),
        }, {
            "task": task_of(artefact.metadata),
            "decision": artefact.metadata.get("decision", {}),
            "label_encoder": labels,
        }

    @cached_property
    def decision(self) -> Decision:
        """What decides on labels, as the artefact's task has it."""
        return decision_of(vars(self.hparams))

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
            If True, scales the embeddings to unit length.

        Returns
        -------
        torch.Tensor
            Embeddings [B, d].

        Raises
        ------
        ValueError
            If one is not finite, naming the clip.
        """
        embeddings = self._embed(wavs, wav_lens)
        check_rows(embeddings)
        return nn.functional.normalize(embeddings) if normalize else embeddings

    def _embed(self, wavs, wav_lens=None):
        """Embeddings [B, d], which may not be finite."""
        if wavs.dim() == 1:
            wavs = wavs.unsqueeze(0)
        if wav_lens is None:
            wav_lens = torch.ones(len(wavs))
        wavs, wav_lens = wavs.to(self.device).float(), wav_lens.to(self.device)
        with self.inference_ctx:
            feats = self.mods.compute_features(wavs, wav_lens)
            embeddings = self.mods.embedding_model(feats, wav_lens)
        return embeddings.float()

    def _posteriors(self, wavs, wav_lens=None):
        """Log posteriors [B, classes], which may not be finite."""
        return self.mods.classifier(self._embed(wavs, wav_lens))

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
        text_lab : list of str, or of list of str
            Label of the best class; by a tagger, the labels of each clip, the
            likeliest first.

        Raises
        ------
        ValueError
            If an output is not finite, naming the clip.
        """
        posteriors = self._posteriors(wavs, wav_lens)
        check_rows(posteriors)
        return self._decide(posteriors)

    def classify_file(
        self, path: str
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, list[str]]:
        """Classifies an audio file of any rate, length and number of channels.

        A clip of more frames than the artefact's ``max_length`` is read as
        in its test: by default it is cut into the fewest windows of that
        length that cover it, the first at its start, the last at its end,
        evenly spread; their posteriors are averaged. See ``FrontEnd.windows``.

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
            If there is no such file, it is not audio, was cut off, holds no
            sample, or the model's output for it is not finite.
        """
        waveform = read_audio(path, self.audio_normalizer)
        windows = cut(waveform, self.mods.compute_features)
        posteriors = torch.cat(
            [self._posteriors(part) for part in windows.split(WINDOWS_AT_ONCE)]
        )
        check_finite(posteriors, f"'{printable(path)}'")
        return self._decide(average(posteriors).unsqueeze(0))

    def _decide(self, posteriors):
        """Picks the best classes and labels of log posteriors [B, classes]."""
        score, index = posteriors.max(dim=-1)
        names = self.hparams.label_encoder.ind2lab
        labels = [self.decision.told(row, names) for row in posteriors]
        return posteriors, score, index, labels
