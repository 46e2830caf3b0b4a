"""The reference code of arXiv 2312.03694, as it is, for comparison.

Runs in an environment of its own, from a checkout that is given; nothing of
it is part of this repository. Three things are put in its way: its feature
extractor is made from its configuration, since the hub's is not asked for;
its checkpoint is a local AST, in the steps one with random weights; and its
features are tensors, which with current versions of NumPy they are not.
"""

import contextlib
import os
import sys
import tempfile

import torch

from benchmarks.worker import CLOCKS


def make_model(checkpoint, frames, device):
    """Makes its model with parallel Houlsby adapters, and its optimizer."""
    from src.AST_adapters import AST_adapter

    model = AST_adapter(
        max_length=frames,
        num_classes=50,
        final_output="ALL",
        reduction_rate=64,
        adapter_type="Houlsby",
        seq_or_par="parallel",
        apply_residual=False,
        adapter_block="bottleneck",
        kernel_size=31,
        model_ckpt=checkpoint,
    ).to(device)
    # As its main.py says, but fused, as the recipes' optimizer is.
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=0.005,
        betas=(0.9, 0.98),
        eps=1e-6,
        weight_decay=0.1,
        fused=True,
    )
    return model, optimizer


def adapter(checkout, sizes, batch, frames, precision, device):
    """Makes a step of its training loop with parallel Houlsby adapters."""
    sys.path.insert(0, checkout)
    from transformers import ASTConfig, ASTModel
    from utils.engine import train_one_epoch

    with tempfile.TemporaryDirectory() as folder:
        ASTModel(ASTConfig(**sizes)).save_pretrained(folder)
        model, optimizer = make_model(folder, frames, device)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10**6)
    criterion = torch.nn.CrossEntropyLoss()
    if precision == "bf16":
        kind = device.partition(":")[0]
        model.forward = torch.autocast(kind, torch.bfloat16)(model.forward)
    generator = torch.Generator().manual_seed(0)
    feats = torch.randn(batch, frames, 128, generator=generator)
    loader = [(feats, torch.arange(batch) % 50)]

    def run():
        train_one_epoch(model, loader, optimizer, scheduler, device, criterion)

    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return run, {"clips": batch, "trained": trained}


def data_of(checkout):
    """Returns its data set, whose extractor does not ask the hub."""
    sys.path.insert(0, checkout)
    import transformers
    from dataset import esc_50

    class Extractor(transformers.AutoFeatureExtractor):
        """Does not ask the hub."""

        @classmethod
        def from_pretrained(cls, name, **options):
            """The published checkpoint's extractor: all defaults."""
            return transformers.ASTFeatureExtractor(**options)

    esc_50.AutoFeatureExtractor = Extractor
    return esc_50.ESC_50


def loading(checkout, corpus, frames, clips):
    """Makes its data set, which decodes, resamples and computes features."""
    esc_50 = data_of(checkout)

    def run():
        with (
            open(os.devnull, "w") as silent,
            contextlib.redirect_stdout(silent),
        ):
            data = esc_50(corpus, frames, "train", [1], [2], [3])
        assert len(data) == clips

    return run, {"clips": clips, "opaque": True}


def recipe(checkout, source, corpus, folds, epochs, device, timer):
    """Makes its recipe of Houlsby adapters on folds of ESC-50."""
    clock = CLOCKS[timer]
    started = clock()
    esc_50 = data_of(checkout)
    from utils.engine import eval_one_epoch, train_one_epoch

    imported = clock() - started

    def run():
        curve = [[imported, 0.0] for _ in range(epochs)]
        for fold in folds:
            seconds = train_fold(fold)
            for point, (spent, accuracy) in zip(curve, seconds, strict=True):
                point[0] += spent
                point[1] += accuracy / len(folds)
        return {"accuracy": curve[-1][1], "curve": curve}

    def train_fold(fold):
        """Returns seconds, without those of tests, and test accuracies."""
        around = [(fold + i - 1) % 5 + 1 for i in range(5)]
        splits = (around[1:4], around[4:], around[:1])
        spent, started = 0.0, clock()
        torch.manual_seed(10)
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(corpus, os.path.join(folder, "ESC-50"))
            train, valid, test = (
                esc_50(folder, 500, name, *splits, apply_SpecAug=augmented)
                for name, augmented in (
                    ("train", True),
                    ("valid", False),
                    ("test", False),
                )
            )
        for data in (train, valid, test):
            data.x = torch.from_numpy(data.x)  # as its SpecAugment takes it
        loaders = [
            torch.utils.data.DataLoader(data, 32, shuffle=data is train)
            for data in (train, valid, test)
        ]
        model, optimizer = make_model(source, 500, device)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(
            optimizer, len(loaders[0]) * epochs
        )
        criterion = torch.nn.CrossEntropyLoss()
        found = []
        for _ in range(epochs):
            train_one_epoch(
                model, loaders[0], optimizer, scheduler, device, criterion
            )
            eval_one_epoch(model, loaders[1], device, criterion)
            spent += clock() - started
            _, accuracy = eval_one_epoch(model, loaders[2], device, criterion)
            found.append((spent, accuracy))
            started = clock()
        return found

    return run, {"clips": 1, "opaque": True, "cold": True}
