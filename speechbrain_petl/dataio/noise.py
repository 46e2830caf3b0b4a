"""Noise and room responses of other corpora, added to training clips.

The sums are SpeechBrain's (``speechbrain.augment``). Its own classes read a
list of files in an order that a checkpoint does not hold; here every draw is
of the global generators, so that a resumed run goes on with the same noise.
"""

import random
from pathlib import Path

import soundfile
import torch
from speechbrain_petl.dataio.audio import read_audio
from torch import nn

from speechbrain.augment.augmenter import Augmenter
from speechbrain.augment.time_domain import AddNoise, AddReverb
from speechbrain.dataio.preprocess import AudioNormalizer

SUFFIXES = {".wav", ".flac"}
#: Parts of MUSAN: signal-to-noise ratios in dB, and how many files at once,
#: as in arXiv 2211.02227's code.
PARTS = {
    "speech": ((13, 20), (3, 8)),
    "music": ((5, 25), (1, 1)),
    "noise": ((0, 15), (1, 1)),
}


class FolderNoise(AddNoise):
    """Adds noise from files; each clip draws its own.

    Arguments
    ---------
    files : list of Path
        Audio files of any rate.
    snr : tuple of int
        Lowest and highest signal-to-noise ratio in dB.
    at_once : tuple of int
        Fewest and most files that make up a noise.
    sample_rate : int
        Sample rate of the clips in Hz.
    """

    def __init__(
        self,
        files: list[Path],
        snr: tuple[int, int],
        at_once: tuple[int, int],
        sample_rate: int,
    ):
        # AddNoise asks for files where it has a list of them.
        super().__init__(csv_file="files", snr_low=snr[0], snr_high=snr[1])
        self.files = files
        self.at_once = at_once
        self.normalizer = AudioNormalizer(sample_rate)

    def _load_noise(self, lengths, max_length):
        """Draws noises [B, max_length], and their lengths [B, 1]."""
        noises = [
            torch.stack(
                [
                    self._draw(max_length)
                    for _ in range(random.randint(*self.at_once))
                ]
            ).mean(dim=0)
            for _ in lengths
        ]
        whole = torch.full_like(lengths, max_length).long()
        return torch.stack(noises).to(lengths.device), whole

    def _draw(self, n_samples):
        """Draws a part [n_samples] of a file, repeated if it is shorter."""
        path = str(random.choice(self.files))
        with soundfile.SoundFile(path) as file:
            frames, rate = file.frames, file.samplerate
        wanted = -(-n_samples * rate // self.normalizer.sample_rate) + 1
        start = random.randint(0, max(0, frames - wanted))
        stop = min(start + wanted, frames)
        noise = read_audio(path, self.normalizer, start, stop)
        times = -(-n_samples // len(noise))
        return noise.repeat(times)[:n_samples]


class FolderReverb(AddReverb):
    """Convolves with a room response from files.

    Arguments
    ---------
    files : list of Path
        Audio files of any rate.
    sample_rate : int
        Sample rate of the clips in Hz.
    """

    def __init__(self, files: list[Path], sample_rate: int):
        super().__init__(csv_file=None)
        self.files = files
        self.normalizer = AudioNormalizer(sample_rate)

    def _load_rir(self, waveforms):
        """Draws a response [1, samples, 1]."""
        response = read_audio(str(random.choice(self.files)), self.normalizer)
        return response[None, :, None].to(waveforms)


class Noise(nn.Module):
    """Adds to each training clip one of several kinds of noise, or none.

    With both folders these are six, equally likely, as for wav2vec 2.0 in
    arXiv 2211.02227's code: none, reverberation, babble of MUSAN's speech,
    its music, its noise, and babble with music. SpeechBrain's ``Augmenter``
    draws one for each clip.

    Arguments
    ---------
    musan_folder : str, optional
        MUSAN, with the folders ``music``, ``noise`` and ``speech``.
    rir_folder : str, optional
        Room responses, in folders of any depth, such as
        ``RIRS_NOISES/simulated_rirs``.
    sample_rate : int
        Sample rate of the clips in Hz.

    Raises
    ------
    ValueError
        If a folder is missing, or holds no audio file.

    Example
    -------
    >>> wavs, lens = torch.rand(2, 100), torch.ones(2)
    >>> noise = Noise()
    >>> noise.active, torch.equal(noise(wavs, lens), wavs)
    (False, True)
    """

    def __init__(
        self,
        musan_folder: str | None = None,
        rir_folder: str | None = None,
        sample_rate: int = 16000,
    ):
        super().__init__()
        kinds: list[nn.Module] = []
        if rir_folder is not None:
            found = _files(Path(rir_folder), "rir_folder", "room responses")
            kinds.append(FolderReverb(found, sample_rate))
        if musan_folder is not None:
            added = {
                part: FolderNoise(
                    _files(Path(musan_folder) / part, "musan_folder", part),
                    *options,
                    sample_rate,
                )
                for part, options in PARTS.items()
            }
            kinds += [*added.values(), _Both(added["speech"], added["music"])]
        self.active = bool(kinds)
        self.augmenter = None
        if kinds:
            self.augmenter = Augmenter(
                min_augmentations=1,
                max_augmentations=1,
                shuffle_augmentations=True,
                augmentations=[*kinds, nn.Identity()],
            )

    @torch.no_grad()
    def forward(self, wavs: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
        """Returns waveforms [B, samples] with noise; padding stays 0."""
        if self.augmenter is None:
            return wavs
        noisy = torch.zeros_like(wavs)
        sizes = (lens * wavs.shape[1]).round().long().clamp(1).tolist()
        for row, size in enumerate(sizes):
            whole = torch.ones(1, device=wavs.device)
            clip, _ = self.augmenter(wavs[row : row + 1, :size], whole)
            noisy[row, :size] = clip[0]
        return noisy


class _Both(nn.Module):
    """One noise after the other."""

    def __init__(self, first, second):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, waveforms, lengths):
        """Returns waveforms [B, samples] with both."""
        return self.second(self.first(waveforms, lengths), lengths)


def _files(folder, option, what):
    """Lists the audio files of a folder, of any depth."""
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )
    if not files:
        raise ValueError(
            f"{option}: there is no audio of {what} in {folder}: give the "
            "folder that holds it, or null for none."
        )
    return files
