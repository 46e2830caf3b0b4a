"""Pretrains the miniature AST of the package on the PRETRAIN families.

The task is to name the family of a clip generated on the fly; the features are
those of the stock ``ASTFeatureExtractor``, the model is a stock ``ASTModel``
that is saved in half precision. Everything lands in one folder::

    python tools/ast_mini/pretrain.py <folder>
"""

import argparse
import math
import platform
import time
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import torch
import transformers
from pretrain_events import EVENTS
from pretrain_tones import TONES
from transformers import ASTConfig, ASTFeatureExtractor, ASTModel

# The families of sounds, by name; DEMO shares none of them.
PRETRAIN = {**TONES, **EVENTS}
SAMPLE_RATE = 16000
FRAMES = 128
# Clips are longer than what the model sees: each epoch cuts another piece.
CLIP_FRAMES = 158
CLIP_SAMPLES = 400 + 160 * (CLIP_FRAMES - 1)
CONFIG = {
    "hidden_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 288,
    "frequency_stride": 16,
    "time_stride": 16,
    "max_length": FRAMES,
}


def features(job: tuple[int, str, int]) -> np.ndarray:
    """Generates one clip and returns its features.

    Arguments
    ---------
    job: tuple
        Seed, name of the family, number of the clip: they fix the clip.

    Returns
    -------
    np.ndarray
        Normalised log-mel features, float16, (CLIP_FRAMES, 128).
    """
    seed, family, number = job
    rng = np.random.default_rng([seed, list(PRETRAIN).index(family), number])
    wave = PRETRAIN[family](rng, CLIP_SAMPLES, SAMPLE_RATE)
    extract = ASTFeatureExtractor(max_length=CLIP_FRAMES)
    values = extract(wave, sampling_rate=SAMPLE_RATE)["input_values"][0]
    return np.asarray(values, dtype=np.float16)


def generate(seed: int, clips: int, workers: int) -> torch.Tensor:
    """Features of ``clips`` clips of each family, (families, clips, time, mel)."""
    jobs = [(seed, name, k) for name in PRETRAIN for k in range(clips)]
    with Pool(
        workers, initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        rows = pool.map(features, jobs, chunksize=64)
    values = torch.from_numpy(np.stack(rows))
    return values.view(len(PRETRAIN), clips, CLIP_FRAMES, -1)


def augment(batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Cuts FRAMES frames, changes the level, masks a band and a stretch."""
    batch = batch.float()

    def draw(low: int, high: int) -> list[int]:
        size = (len(batch),)
        return torch.randint(low, high, size, generator=generator).tolist()

    starts = draw(0, CLIP_FRAMES - FRAMES + 1)
    batch = torch.stack(
        [x[start : start + FRAMES] for x, start in zip(batch, starts)]
    )
    batch += 0.2 * torch.randn(len(batch), 1, 1, generator=generator)
    for x, band, low, span, start in zip(
        batch, draw(0, 24), draw(0, 104), draw(0, 24), draw(0, 104)
    ):
        x[:, low : low + band] = 0.0
        x[start : start + span] = 0.0
    return batch


@torch.no_grad()
def accuracy(
    model: ASTModel, head: torch.nn.Module, x: torch.Tensor, y: torch.Tensor
) -> float:
    """Share of clips, cut in the middle, whose family is named right."""
    model.eval()
    cut = (CLIP_FRAMES - FRAMES) // 2
    hits = 0
    for xs, ys in zip(x.split(256), y.split(256)):
        pooled = model(xs[:, cut : cut + FRAMES].float()).pooler_output
        hits += int((head(pooled).argmax(-1) == ys).sum())
    return hits / len(y)


def train(
    folder: Path, seed: int, clips: int, epochs: int, batch_size: int, lr: float
) -> None:
    """Generates, trains, evaluates and saves; see the command line's help."""
    folder.mkdir(parents=True, exist_ok=True)
    log = (folder / "pretrain.log").open("w", encoding="utf-8")

    def report(line: str) -> None:
        print(line, flush=True)
        print(line, file=log, flush=True)

    report(
        f"python tools/ast_mini/pretrain.py <folder> --seed {seed} "
        f"--clips {clips} --epochs {epochs} --batch_size {batch_size} --lr {lr}"
    )
    report(
        f"python {platform.python_version()}, torch {torch.__version__}, "
        f"transformers {transformers.__version__}, numpy {np.__version__}"
    )
    start = time.time()
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    data = generate(seed, clips, workers=2)
    held_out = clips // 10
    labels = torch.arange(len(PRETRAIN))[:, None].expand(-1, clips)
    x_test, y_test = data[:, :held_out].flatten(0, 1), labels[:, :held_out]
    x, y = data[:, held_out:].flatten(0, 1), labels[:, held_out:]
    y, y_test = y.reshape(-1), y_test.reshape(-1)
    report(
        f"{len(PRETRAIN)} families, {len(y)} clips to train on, {len(y_test)} "
        f"held out, generated in {time.time() - start:.0f} s"
    )

    model = ASTModel(ASTConfig(**CONFIG))
    torch.nn.init.normal_(model.embeddings.position_embeddings, std=0.02)
    head = torch.nn.Linear(model.config.hidden_size, len(PRETRAIN))
    weights = [*model.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=lr, weight_decay=0.05)
    steps = epochs * (len(y) // batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda s: min(s / 200, 0.5 + 0.5 * math.cos(math.pi * s / steps)),
    )
    for epoch in range(epochs):
        model.train()
        total, begun = 0.0, time.time()
        order = torch.randperm(len(y), generator=generator)
        batches = order[: len(y) // batch_size * batch_size].split(batch_size)
        for batch in batches:
            pooled = model(augment(x[batch], generator)).pooler_output
            loss = torch.nn.functional.cross_entropy(
                head(pooled), y[batch], label_smoothing=0.1
            )
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item()
        report(
            f"epoch {epoch + 1}: loss {total / len(batches):.3f}, held-out "
            f"accuracy {accuracy(model, head, x_test, y_test):.3f}, "
            f"{time.time() - begun:.0f} s"
        )
    model.half().save_pretrained(folder)
    restored = ASTModel.from_pretrained(folder, dtype=torch.float32)
    report(
        f"as saved in half precision: held-out accuracy "
        f"{accuracy(restored, head, x_test, y_test):.3f}, "
        f"{sum(p.numel() for p in restored.parameters())} parameters, "
        f"{(folder / 'model.safetensors').stat().st_size} bytes, "
        f"{time.time() - start:.0f} s in all"
    )
    log.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="where the model goes")
    parser.add_argument("--seed", type=int, default=1986, help="of all chance")
    parser.add_argument("--clips", type=int, default=300, help="per family")
    parser.add_argument("--epochs", type=int, default=16, help="over the clips")
    parser.add_argument("--batch_size", type=int, default=64, help="clips")
    parser.add_argument("--lr", type=float, default=1e-3, help="at its peak")
    train(**vars(parser.parse_args()))
