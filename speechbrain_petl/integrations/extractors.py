"""Feature extractors of transformers that equal our front ends."""

from typing import Any

from speechbrain_petl.lobes.features import ASTFbank
from speechbrain_petl.lobes.front_end import FrontEnd
from speechbrain_petl.lobes.waveforms import Waveforms
from speechbrain_petl.lobes.whisper_fbank import WhisperFbank
from transformers import (
    ASTFeatureExtractor,
    Wav2Vec2FeatureExtractor,
    WhisperFeatureExtractor,
)


def make_extractor(front_end: FrontEnd) -> tuple[Any, bool]:
    """Makes the feature extractor of transformers for a front end.

    Arguments
    ---------
    front_end : FrontEnd
        The front end.

    Returns
    -------
    extractor : transformers.FeatureExtractionMixin
        The extractor.
    any_length : bool
        True if it gives what the front end gives for clips of any length;
        otherwise only for those of ``clip_samples``.

    Raises
    ------
    ValueError
        If there is none.

    Example
    -------
    >>> extractor, any_length = make_extractor(Waveforms(max_length=100))
    >>> type(extractor).__name__, extractor.do_normalize, any_length
    ('Wav2Vec2FeatureExtractor', True, False)
    """
    if type(front_end) not in EXTRACTORS:
        raise ValueError(
            "Transformers has no feature extractor for a "
            f"{type(front_end).__name__}: use 'speechbrain-petl export', "
            "which takes any model."
        )
    return EXTRACTORS[type(front_end)](front_end)


def _of_ast(front_end):
    """Returns AST's."""
    extractor = ASTFeatureExtractor(
        feature_size=1,
        sampling_rate=front_end.sample_rate,
        num_mel_bins=front_end.n_mels,
        max_length=front_end.max_length,
        mean=front_end.mean,
        std=front_end.std,
    )
    return extractor, True


def _of_waveforms(front_end):
    """Returns wav2vec 2.0's, which neither cuts clips nor repeats them."""
    extractor = Wav2Vec2FeatureExtractor(
        sampling_rate=front_end.sample_rate,
        do_normalize=front_end.normalize,
        return_attention_mask=False,
    )
    return extractor, False


def _of_whisper(front_end):
    """Returns Whisper's, whose clips have whole seconds."""
    if front_end.clip_samples % front_end.sample_rate:
        raise ValueError(
            "Transformers' extractor for Whisper counts whole seconds, but "
            f"max_length is {front_end.max_length} frames of 10 ms: train with "
            "a multiple of 100, or use 'speechbrain-petl export'."
        )
    extractor = WhisperFeatureExtractor(
        feature_size=front_end.n_mels,
        sampling_rate=front_end.sample_rate,
        chunk_length=front_end.clip_samples // front_end.sample_rate,
    )
    return extractor, True


EXTRACTORS = {
    ASTFbank: _of_ast,
    Waveforms: _of_waveforms,
    WhisperFbank: _of_whisper,
}
