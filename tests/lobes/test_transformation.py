"""The transformation module: its equations, its sizes, where it goes."""

import pytest
import torch
from speechbrain_petl.lobes.transformation import (
    Partitioned,
    TransformationModule,
    narrowed,
    partition,
)
from torch import nn

from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN, SERes2NetBlock
from speechbrain.lobes.models.ResNet import ResNet

ECAPA_BLOCKS = ("blocks.1", "blocks.2", "blocks.3")


def size(model):
    """Number of parameters."""
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("dimensions, shape", [(1, (9,)), (2, (4, 9))])
@pytest.mark.parametrize("groups", [2, 4])
def test_a_subset_hears_of_the_others_only_their_means(
    groups, dimensions, shape
):
    torch.manual_seed(0)
    module = TransformationModule(8, groups, dimensions).eval()
    nn.init.ones_(module.norm.weight)
    x = torch.randn(3, 8, *shape)
    found = torch.cat(module(x), dim=1)
    parts = x.chunk(groups, dim=1)
    dims = tuple(range(2, x.dim()))
    for i, part in enumerate(parts):
        others = [p.mean(dim=dims) for j, p in enumerate(parts) if j != i]
        mean = torch.stack(others).mean(dim=0)
        mean = mean.reshape(*mean.shape, *[1] * len(dims)).expand_as(part)
        wanted = part + module.norm(module.mix(torch.cat([part, mean], dim=1)))
        torch.testing.assert_close(found.chunk(groups, dim=1)[i], wanted)


def test_it_starts_as_an_identity():
    x = torch.randn(2, 8, 5)
    assert torch.equal(torch.cat(TransformationModule(8, 4)(x), dim=1), x)


@pytest.mark.parametrize(
    "channels, groups, shared, millions",
    [
        (512, None, False, 6.19),
        (512, 2, False, 4.30),
        (512, 2, True, 3.73),
        (512, 4, False, 2.86),
        (512, 4, True, 2.43),
        (1024, None, False, 20.77),
        (1024, 2, False, 13.57),
        (1024, 2, True, 11.53),
        (1024, 4, False, 8.00),
        (1024, 4, True, 6.46),
    ],
)
def test_sizes_of_ecapa(channels, groups, shared, millions):
    """In closed form; the last convolution is grouped as well."""
    with torch.device("meta"):
        model = ECAPA_TDNN(
            80,
            channels=[channels] * 4 + [3 * channels],
            groups=[1, 1, 1, 1, groups or 1],
        )
        if groups:
            partition(model, ECAPA_BLOCKS, groups, shared)
    assert round(size(model) / 1e6, 2) == millions


@pytest.mark.parametrize(
    "groups, shared, millions",
    [(2, False, 8.78), (2, True, 5.41), (4, False, 5.38), (4, True, 2.84)],
)
def test_sizes_of_resnet(groups, shared, millions):
    with torch.device("meta"):
        model = ResNet(80)
        assert round(size(model) / 1e6, 2) == 15.44
        partition(model, [f"layer{k}" for k in (1, 2, 3, 4)], groups, shared)
    assert round(size(model) / 1e6, 2) == millions


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("groups", [2, 4])
@pytest.mark.parametrize("family", ["ECAPA-TDNN", "ResNet"])
def test_every_parameter_trains(family, groups, shared):
    torch.manual_seed(0)
    if family == "ResNet":
        model = ResNet(16, channels=[16, 16, 32, 32], block_sizes=[1] * 4)
        partition(model, [f"layer{k}" for k in (1, 2, 3, 4)], groups, shared)
    else:
        model = ECAPA_TDNN(16, channels=[32] * 5, se_channels=16)
        partition(model, ECAPA_BLOCKS, groups, shared)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    feats = torch.randn(4, 40, 16)
    for _ in range(2):  # behind a gain of 0, gradients begin at the second
        optimizer.zero_grad()
        model(feats).square().mean().backward()
        optimizer.step()
    fused = {n for n, p in model.named_parameters() if ".fuse." in n}
    assert len(fused) == 4 * (4 if family == "ResNet" else 3)
    assert all(p.grad is not None for p in model.parameters())
    gains = [p for n, p in model.named_parameters() if ".fuse.norm.weight" in n]
    assert all(gain.any() for gain in gains), "they leave 0"


def test_own_blocks_have_weights_of_their_own():
    torch.manual_seed(0)
    block = SERes2NetBlock(32, 32, kernel_size=3, dilation=2, se_channels=16)
    own, shared = Partitioned(block, 2), Partitioned(block, 2, shared=True)
    first, second = own.target.tdnn1.conv.conv, own.others[0].tdnn1.conv.conv
    assert not torch.equal(first.weight, second.weight)
    assert len(shared.others) == 0
    same = torch.randn(1, 16, 9).repeat(1, 2, 1)
    left, right = shared(same).chunk(2, dim=1)
    torch.testing.assert_close(left, right)
    narrow = narrowed(block, 2).res2net_block.blocks[0].conv.conv
    stock = block.res2net_block.blocks[0].conv.conv
    assert narrow.dilation == stock.dilation
    assert narrow.in_channels * 2 == stock.in_channels


def test_what_cannot_be_split_is_refused():
    with pytest.raises(ValueError, match="9 channels cannot be split into 2"):
        TransformationModule(9, 2)
    model = ECAPA_TDNN(16, channels=[32] * 5, se_channels=6)
    with pytest.raises(ValueError, match="6 channels, which 4 subsets"):
        partition(model, ["blocks.1"], 4)
    with pytest.raises(ValueError, match="has no block 'blocks.9': name one"):
        partition(model, ["blocks.9"], 2)
