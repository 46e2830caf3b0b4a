"""bfloat16 only where the hardware has it."""

import pytest
import torch
from speechbrain_petl.training.precision import best_precision


@pytest.mark.parametrize("native", [True, False])
def test_a_cpu_needs_matrix_units(native, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: native)
    expected = "bf16" if native else "fp32"
    assert best_precision("cpu") == expected
    assert best_precision(torch.device("cpu")) == expected


def test_emulation_on_a_gpu_does_not_count(monkeypatch):
    def supported(including_emulation=True):
        return including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert best_precision("cuda:0") == "fp32"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    assert best_precision("cuda:0") == "bf16"


def test_other_devices_train_in_float32():
    assert best_precision("mps") == "fp32"
