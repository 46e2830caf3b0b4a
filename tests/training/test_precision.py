"""bfloat16 only where the hardware has it."""

import pytest
import torch
from speechbrain_petl.training.precision import best_precision, settle_precision


@pytest.mark.parametrize(
    ("amx", "avx512", "expected"),
    [
        (True, True, "bf16"),
        (True, False, "bf16"),
        (False, True, "bf16"),
        (False, False, "fp32"),
    ],
)
def test_a_cpu_needs_instructions_for_it(amx, avx512, expected, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    assert best_precision("cpu") == expected
    assert best_precision(torch.device("cpu")) == expected
    assert settle_precision({"precision": "auto"}, "cpu") == {
        "precision": expected
    }


def test_emulation_on_a_gpu_does_not_count(monkeypatch):
    def supported(including_emulation=True):
        return including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert best_precision("cuda:0") == "fp32"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    assert best_precision("cuda:0") == "bf16"


def test_other_devices_train_in_float32():
    assert best_precision("mps") == "fp32"


@pytest.mark.parametrize("values", [{}, {"precision": "fp32"}])
def test_what_is_said_stays(values):
    assert settle_precision(values, "cpu") == {}
