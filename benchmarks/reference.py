"""The reference code of arXiv 2312.03694, as it is, for comparison.

Runs in an environment of its own, from a checkout that is given; nothing of
it is part of this repository. Two things are put in its way: its feature
extractor is made from its configuration, since the hub's is not asked for;
and its checkpoint is an AST of the same size with random weights.
"""

import contextlib
import os
import sys
import tempfile

import torch


def adapter(checkout, sizes, batch, frames, precision, device):
    """Makes a step of its training loop with parallel Houlsby adapters."""
    sys.path.insert(0, checkout)
    from src.AST_adapters import AST_adapter
    from transformers import ASTConfig, ASTModel
    from utils.engine import train_one_epoch

    with tempfile.TemporaryDirectory() as folder:
        ASTModel(ASTConfig(**sizes)).save_pretrained(folder)
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
            model_ckpt=folder,
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


def loading(checkout, corpus, frames, clips):
    """Makes its data set, which decodes, resamples and computes features."""
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

    def run():
        with (
            open(os.devnull, "w") as silent,
            contextlib.redirect_stdout(silent),
        ):
            data = esc_50.ESC_50(corpus, frames, "train", [1], [2], [3])
        assert len(data) == clips

    return run, {"clips": clips, "opaque": True}
