"""An epoch of the linear probe: the backbone each time, or stored states.

From audio files to the update, as the recipe has it, without augmentation.
Decoded clips are in the cache for both.
"""

import tempfile
from pathlib import Path

import torch

from benchmarks.front_end import wav_files
from benchmarks.measure import Contender
from benchmarks.models import autocast, load_recipe

HERE = "benchmarks.linear_probe"
BATCH = 32


def epoch(backbone, corpus, clips, frames, precision, device, stored):
    """Makes one epoch over the corpus."""
    from speechbrain_petl.dataio.audio import read_audio
    from speechbrain_petl.dataio.cache import WaveformCache
    from speechbrain_petl.lobes.split_encoder import SplitEncoder
    from speechbrain_petl.training.stored_states import store_states

    from speechbrain.dataio.batch import PaddedBatch
    from speechbrain.dataio.dataloader import SaveableDataLoader
    from speechbrain.dataio.dataset import DynamicItemDataset
    from speechbrain.dataio.preprocess import AudioNormalizer

    hparams = load_recipe("linear", backbone, max_length=frames)
    fbank = hparams["compute_features"].to(device)
    encoder = SplitEncoder(hparams["encoder"], cache=True).to(device).train()
    width = hparams["backbone"].config.hidden_size
    head = torch.nn.Linear(width, 50).to(device)
    trained = [
        p
        for module in (encoder, head)
        for p in module.parameters()
        if p.requires_grad
    ]
    optimizer = hparams["opt_class"](trained)
    kept = tempfile.TemporaryDirectory()
    cache = WaveformCache(1.0, folder=Path(kept.name))
    normalizer = AudioNormalizer(16000)
    dataset = DynamicItemDataset(
        {
            str(i): {"wav": wav, "target": i % 50}
            for i, wav in enumerate(wav_files(corpus, clips))
        },
        output_keys=["id", "sig", "target"],
    )
    dataset.add_dynamic_item(
        lambda wav: cache.get(wav, lambda w: read_audio(w, normalizer)),
        takes="wav",
        provides="sig",
    )

    def loader(data):
        return SaveableDataLoader(data, BATCH, collate_fn=PaddedBatch)

    def states_of(wavs, lens):
        with autocast(device, precision), torch.no_grad():
            return encoder.frozen(fbank(wavs.to(device), lens.to(device)))

    if stored:
        dataset = store_states(loader(dataset), states_of)

    def run():
        for batch in loader(dataset):
            batch = batch.to(device)
            inputs = batch.states.data if stored else fbank(*batch.sig)
            with autocast(device, precision):
                logits = head(encoder(inputs, stored=stored))
            loss = torch.nn.functional.cross_entropy(
                logits.float(), batch.target.to(device)
            )
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    run.kept = kept
    facts = {"clips": clips}
    if stored:
        facts["stored_mb"] = clips * width * 4 / 1e6
    return run, facts


def groups(options) -> dict[str, list[Contender]]:
    """Returns the contenders of each group."""
    common = {
        "backbone": options.backbone,
        "corpus": options.corpus,
        "clips": options.clips,
        "frames": options.frames,
        "precision": "bf16",
        "device": options.device,
    }
    return {
        "An epoch": [
            Contender(name, f"{HERE}:epoch", common | {"stored": stored})
            for name, stored in [("recomputed", False), ("stored", True)]
        ]
    }
