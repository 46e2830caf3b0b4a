"""An epoch of the recipes: the whole backbone each time, or stored states.

From audio files to the update, without augmentation, in batches of 4. Decoded
clips are in the cache for all.
"""

import os
import tempfile

import torch

from benchmarks.front_end import wav_files
from benchmarks.measure import Contender
from benchmarks.models import autocast, load_recipe

HERE = "benchmarks.stored_states"
BATCH = 4


def epoch(
    yaml, backbone, corpus, clips, frames, precision, device, stored, **keys
):
    """Makes one epoch over the corpus."""
    from speechbrain_petl.dataio.cache import WaveformCache
    from speechbrain_petl.dataio.datasets import Waveform
    from speechbrain_petl.lobes.split_encoder import SplitEncoder
    from speechbrain_petl.training.stored_options import Options
    from speechbrain_petl.training.stored_states import StateStore

    from speechbrain.dataio.batch import PaddedBatch
    from speechbrain.dataio.dataloader import SaveableDataLoader
    from speechbrain.dataio.dataset import DynamicItemDataset

    kept = tempfile.TemporaryDirectory()
    os.environ["SPEECHBRAIN_PETL_CACHE"] = kept.name
    hparams = load_recipe(yaml, backbone, max_length=frames, **keys)
    fbank = hparams["compute_features"].to(device)
    encoder = hparams["encoder"].to(device)
    head = torch.nn.Linear(hparams["encoder"].embedding_size, 50).to(device)
    dataset = DynamicItemDataset(
        {
            str(i): {"wav": wav, "target": i % 50}
            for i, wav in enumerate(wav_files(corpus, clips))
        }
    )
    waveform = Waveform(16000, WaveformCache(1.0))
    dataset.add_dynamic_item(waveform, takes="wav", provides="sig")
    dataset.set_output_keys(["id", "sig", "target"])
    if stored:
        encoder = SplitEncoder(encoder)
        store = StateStore(
            Options("bf16", None, 100.0),
            encoder,
            fbank,
            torch.nn.Identity(),
            hparams["backbone"],
            corpus,
            device,
        )
        context = autocast(device, precision)
        dataset, _ = store.replace(
            dataset, {"batch_size": BATCH}, context, precision, True
        )
    encoder.train()
    trained = [
        p
        for module in (encoder, head)
        for p in module.parameters()
        if p.requires_grad
    ]
    optimizer = hparams["opt_class"](trained)

    def run():
        loader = SaveableDataLoader(dataset, BATCH, collate_fn=PaddedBatch)
        for batch in loader:
            batch = batch.to(device)
            with autocast(device, precision):
                if stored:
                    embeddings = encoder(batch.states.data, stored=True)
                else:
                    embeddings = encoder(fbank(*batch.sig))
                logits = head(embeddings)
            loss = torch.nn.functional.cross_entropy(
                logits.float(), batch.target.to(device)
            )
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        if device != "cpu":
            torch.cuda.synchronize()

    run.kept = kept
    facts = {"clips": clips, "opaque": True}
    if stored:
        one = dataset[0]["states"]
        facts["stored_mb"] = clips * one.numel() * one.element_size() / 1e6
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

    def contender(name, yaml, stored, **keys):
        return Contender(
            name,
            f"{HERE}:epoch",
            common | {"yaml": yaml, "stored": stored} | keys,
        )

    layers = options.sizes.get("num_hidden_layers", 12)
    houlsby = contender("all layers, recomputed", "adapter_hou_par", False)
    return {
        "An epoch of the linear probe": [
            contender("recomputed", "linear", False),
            contender("stored", "linear", True),
        ],
        "An epoch of Houlsby adapters": [
            houlsby,
            *(
                contender(
                    f"upper {name}, stored",
                    "adapter_hou_par",
                    True,
                    first_layer=-max(1, layers // share),
                )
                for name, share in (("half", 2), ("quarter", 4))
            ),
        ],
        "An epoch of learners": [
            contender("Houlsby adapters, recomputed", "adapter_hou_par", False),
            contender("weighted sum, stored", "weighted_sum", True),
            contender("L-adapters, stored", "l_adapters", True),
            contender("ladder, stored", "ladder", True),
        ],
    }
