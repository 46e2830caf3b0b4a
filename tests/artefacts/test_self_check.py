"""The probe: the model that was trained passes, another does not."""

import pytest
import torch
from speechbrain_petl.artefacts.self_check import (
    check_probe,
    full_precision,
    make_probe,
    probe_waveform,
)
from torch import nn


class FrontEnd(nn.Module):
    """Passes the first samples on."""

    sample_rate = 8

    def forward(self, wavs, lens):
        """Returns features [B, 4]."""
        return wavs[:, :4]


class Encoder(nn.Linear):
    """Embeds features; drops some of them in training."""

    def forward(self, feats, lens):
        """Returns embeddings."""
        return nn.functional.dropout(super().forward(feats), 0.5, self.training)


@pytest.fixture
def modules():
    """A front end, an encoder and a head, in training mode."""
    torch.manual_seed(0)
    return FrontEnd().train(), Encoder(4, 4).train(), nn.Linear(4, 2).train()


def test_the_same_model_passes_and_another_does_not(modules):
    probe = make_probe(*modules)
    assert all(module.training for module in modules)
    assert probe["samples"] == 8 and len(probe["logits"]) == 2
    assert check_probe(probe, *modules) == 0
    with torch.no_grad():
        modules[2].bias[1] += 0.01
    with pytest.raises(ValueError, match="logits differ by 0.01 "):
        check_probe(probe, *modules)


def test_nan_and_another_number_of_classes_fail(modules):
    probe = make_probe(*modules)
    with pytest.raises(ValueError, match="gives 2 logits.*has 3"):
        check_probe({**probe, "logits": [0.0] * 3}, *modules)
    with torch.no_grad():
        modules[2].bias[0] = float("nan")
    with pytest.raises(ValueError, match="differ by nan"):
        check_probe(probe, *modules)


def test_the_waveform_depends_on_the_seed_alone():
    torch.manual_seed(1)
    first = probe_waveform(7, 100)
    torch.manual_seed(2)
    assert torch.equal(first, probe_waveform(7, 100))
    assert not torch.equal(first, probe_waveform(8, 100))
    assert first.shape == (1, 100) and first.abs().max() <= 0.5


def test_tf32_returns_even_after_an_error():
    flag = torch.backends.cuda.matmul
    before = flag.allow_tf32
    try:
        flag.allow_tf32 = True
        with pytest.raises(KeyError), full_precision():
            assert not flag.allow_tf32
            raise KeyError
        assert flag.allow_tf32
    finally:
        flag.allow_tf32 = before
