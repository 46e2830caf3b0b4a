"""StoredDataset: states in place of waveforms, another draw each epoch."""

import torch
from speechbrain_petl.training.stored_dataset import StoredDataset, digest

from speechbrain.dataio.dataset import DynamicItemDataset


def test_each_epoch_takes_the_next_draw():
    entries = {name: {"wav": name, "target": i} for i, name in enumerate("ab")}
    data = DynamicItemDataset(entries)
    data.add_dynamic_item(lambda wav: 1 / 0, takes="wav", provides="sig")
    data.set_output_keys(["id", "sig", "target"])
    keys = {name: digest(name) for name in entries}
    stored = StoredDataset(data, keys, lambda key: key, draws=3)
    seen = []
    for epoch in range(1, 7):
        stored.epoch = epoch
        assert stored[1].keys() == {"id", "target", "states"}
        seen.append(stored[1]["states"])
    assert seen[:3] == seen[3:] and len(set(seen)) == 3
    assert all(key.startswith(digest("b")) for key in seen)
    once = StoredDataset(data, keys, lambda key: torch.ones(1))
    assert torch.equal(once[0]["states"], torch.ones(1))
