"""What a run is, and how a difference is told."""

import json

from speechbrain_petl.utils.settings import differences, settings_of

TEXT = """\
seed: 1
data_folder: !PLACEHOLDER
lr: 1e-3
clip: .inf
save_folder: !ref <output_folder>/save
opt: !name:torch.optim.AdamW
    lr: !ref <lr>
    betas: [0.9, 0.98]
modules:
    encoder: !ref <encoder>
layers: [!ref <a>, {b: 1}]
empty: []
train_manifest: !ref <x>/train.json
num_workers: 2
"""


def test_settings_are_flat_plain_and_listed_once():
    found = settings_of(TEXT, {"seed": "2", "extra": "[1, 2]"})
    assert found == {
        "seed": 2,
        "lr": 0.001,
        "clip": "inf",
        "save_folder": "!ref <output_folder>/save",
        "opt": "!name:torch.optim.AdamW",
        "opt.lr": "!ref <lr>",
        "opt.betas": [0.9, 0.98],
        "modules.encoder": "!ref <encoder>",
        "layers[0]": "!ref <a>",
        "layers[1].b": 1,
        "empty": [],
        "extra": [1, 2],
    }
    assert json.loads(json.dumps(found)) == found


def test_a_number_is_a_number_however_it_is_written():
    assert settings_of(TEXT, {}) == settings_of(TEXT, {"lr": "0.001"})
    assert settings_of(TEXT, {}) != settings_of(TEXT, {"lr": "'0.001'"})


def test_differences_name_both_values():
    there = {"a": 1, "b": [1], "c": None, "same": 0}
    here = {"a": 2, "b": [1, 2], "same": 0, "d": "x" * 100}
    assert differences(there, here) == (
        "a is 1 there and 2 here, b is [1] there and [1, 2] here, "
        f"d is absent there and {'x' * 77}... here, "
        "c is null there and absent here"
    )
    assert differences(there, there) == ""
    many = differences({}, dict.fromkeys(map(str, range(30)), 1))
    assert many.endswith("and 20 more")
