"""Tensors of an artefact: what is saved is loaded, and nothing else."""

import hashlib

import pytest
import torch
from safetensors.torch import save_file
from speechbrain_petl.artefacts.header import check_digest, read_shapes
from speechbrain_petl.artefacts.tensors import (
    HEAD,
    check_shapes,
    fill,
    tensors_of,
)
from torch import nn


class Delta(nn.Linear):
    """An encoder all of whose tensors are trained."""

    def delta(self):
        """Returns the tensors."""
        return dict(self.state_dict())

    def load_delta(self, tensors):
        """Fills the tensors."""
        self.load_state_dict(tensors)


@pytest.fixture
def models():
    """An encoder and a head."""
    return Delta(2, 3), nn.Linear(3, 2)


@pytest.fixture
def saved(models, tmp_path):
    """The file of the models, and its metadata."""
    path = tmp_path / "petl.safetensors"
    save_file(tensors_of(*models), path)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return path, {"tensors": {"sha256": digest, "bytes": len(content)}}


def test_other_modules_are_filled(saved, models):
    path, metadata = saved
    others = Delta(2, 3), nn.Linear(3, 2)
    check_digest(path, metadata)
    fill(path, metadata, *others)
    expected = tensors_of(*models)
    assert HEAD + "weight" in expected and "weight" in expected
    for name, tensor in tensors_of(*others).items():
        assert torch.equal(tensor, expected[name]), name


def test_each_tensor_that_does_not_fit_is_named(saved, models):
    shapes = read_shapes(saved[0])
    check_shapes(shapes, *models, saved[0])
    shapes["more"] = shapes.pop("bias")
    shapes["head.bias"] = (7,)
    with pytest.raises(ValueError) as caught:
        check_shapes(shapes, *models, saved[0])
    for words in (
        "missing 'bias'",
        "unexpected 'more'",
        "'head.bias' of shape (7,) instead of (2,)",
    ):
        assert words in str(caught.value)


def test_a_changed_file_fills_nothing(saved, models):
    path, metadata = saved
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    before = {n: t.clone() for n, t in tensors_of(*models).items()}
    with pytest.raises(ValueError, match="its SHA-256 is another"):
        check_digest(path, metadata)
    with pytest.raises(ValueError, match="its SHA-256 is another"):
        fill(path, metadata, *models)
    after = tensors_of(*models)
    assert all(torch.equal(after[name], t) for name, t in before.items())
