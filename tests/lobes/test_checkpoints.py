"""Stock checkpoints are loaded strictly, in float32."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from speechbrain_petl.lobes import attention
from speechbrain_petl.lobes.checkpoints import (
    load_stock,
    read_config,
    read_front_end,
)
from transformers import WhisperModel


@pytest.fixture
def folder(save_whisper, tmp_path):
    """A checkpoint of which tensors may be changed."""
    return save_whisper(tmp_path, seconds=1)


def change(folder, changed):
    """Saves a checkpoint's tensors again, changed."""
    file = f"{folder}/model.safetensors"
    tensors = load_file(file)
    changed(tensors)
    save_file(tensors, file, metadata={"format": "pt"})


NAME = "encoder.layers.1.fc1.bias"


def test_half_precision_is_loaded_in_float32(folder):
    WhisperModel.from_pretrained(folder).half().save_pretrained(folder)
    model = load_stock(WhisperModel, folder)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert model.config._attn_implementation == attention.NAME


@pytest.mark.parametrize(
    "changed",
    [
        lambda tensors: tensors.pop(NAME),
        lambda tensors: tensors.update({NAME: torch.zeros(9)}),
    ],
    ids=["missing", "misshapen"],
)
def test_a_damaged_checkpoint_is_refused(folder, changed):
    change(folder, changed)
    message = f"not a whole Whisper: 1 of its tensors .* first '{NAME}'"
    options = {"ignore_mismatched_sizes": True}
    with pytest.raises(ValueError, match=message):
        load_stock(WhisperModel, folder, what="Whisper", **options)


def test_what_may_be_missing_is_zero(folder):
    change(folder, lambda tensors: tensors.pop(NAME))
    model = load_stock(WhisperModel, folder, may_miss=[NAME])
    assert not model.get_parameter(NAME).any()


def test_configurations_are_plain(folder, tmp_path):
    assert read_config(folder)["model_type"] == "whisper"
    said = read_front_end(folder)
    assert said["feature_size"] == 80 and json.dumps(said)
    (tmp_path / "preprocessor_config.json").write_text("{")
    with pytest.raises(ValueError, match="does not say how its input"):
        read_front_end(folder)
    (tmp_path / "preprocessor_config.json").unlink()
    assert read_front_end(folder) == {}
    (tmp_path / "config.json").unlink()
    with pytest.raises(ValueError, match="No backbone can be loaded from"):
        read_config(folder)
