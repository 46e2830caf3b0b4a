"""From audio files to normalized features: decode, resample, log-mel.

Clips of 5 s at 44.1 kHz, as ESC-50's. Ours decodes once and keeps what it
decoded; features are made of a whole batch. Peers make them clip by clip.
"""

import tempfile
from pathlib import Path

import torch

from benchmarks.measure import Contender

HERE = "benchmarks.front_end"
BATCH = 32


def ours(corpus, frames, clips, cache, device):
    """Makes the recipes' data pipeline and front end, in one process."""
    from speechbrain_petl.dataio.audio import read_audio
    from speechbrain_petl.dataio.cache import WaveformCache
    from speechbrain_petl.lobes.features import ASTFbank

    from speechbrain.dataio.preprocess import AudioNormalizer

    normalizer, fbank = AudioNormalizer(16000), ASTFbank(frames).to(device)
    wavs = wav_files(corpus, clips)
    kept = tempfile.TemporaryDirectory()
    folder = {"path": Path(kept.name), "run": 0}

    def decode(path):
        return read_audio(path, normalizer)

    def run():
        if cache != "warm":
            folder["run"] += 1
        store = WaveformCache(
            0.0 if cache == "none" else 1.0,
            folder=folder["path"] / str(folder["run"]),
        )
        for i in range(0, clips, BATCH):
            batch = [store.get(wav, decode) for wav in wavs[i : i + BATCH]]
            fbank(torch.stack(batch).to(device))

    run()
    run.kept = kept
    return run, {"clips": clips, "opaque": True}


def hugging_face(corpus, frames, clips, device):
    """torchaudio's resampling and ASTFeatureExtractor, clip by clip."""
    import soundfile
    import torchaudio
    from transformers import ASTFeatureExtractor

    extractor = ASTFeatureExtractor(max_length=frames)
    wavs = wav_files(corpus, clips)

    def run():
        for wav in wavs:
            audio, rate = soundfile.read(wav, dtype="float32")
            audio = torchaudio.functional.resample(
                torch.from_numpy(audio), rate, 16000
            )
            extractor(audio.numpy(), sampling_rate=16000, return_tensors="pt")

    return run, {"clips": clips, "opaque": True}


def wav_files(corpus, clips):
    """Lists the clips."""
    audio = Path(corpus) / "ESC-50" / "audio"
    return [str(audio / f"{i}.wav") for i in range(clips)]


def groups(options) -> dict[str, list[Contender]]:
    """Returns the contenders of each group."""
    sizes = {
        "corpus": options.corpus,
        "frames": options.frames,
        "clips": options.clips,
    }
    device = {"device": options.device}
    found = [
        Contender("Hugging Face", f"{HERE}:hugging_face", sizes | device),
        *(
            Contender(name, f"{HERE}:ours", {**sizes, **device, "cache": cache})
            for name, cache in [
                ("ours, no cache", "none"),
                ("ours, cold cache", "cold"),
                ("ours, warm cache", "warm"),
            ]
        ),
    ]
    if options.reference:
        found.insert(
            0,
            Contender(
                "reference",
                "benchmarks.reference:loading",
                {**sizes, "checkout": options.reference},
                options.reference_python,
            ),
        )
    return {"A fold's clips": found}
