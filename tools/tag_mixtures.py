#!/usr/bin/env python3
"""Tags real mixtures: what are several labels a clip worth in training?

Clips of ESC-50, or of a part of it such as ESC-10, are mixed in twos and
threes of different classes, in the layout of FSD50K: folds 1 to 3 train, 4
validates, 5 tests. The recipe of FSD50K then trains

- ``all``: on mixtures, with all of their labels;
- ``loudest``: on the same mixtures, with the label of the loudest clip only;
- ``alone``: on the clips by themselves, with their one label;
- ``mixup``: as ``alone``, with mixup of all training clips;

and all of them are judged on the same mixtures, by all labels. A finished run
is not repeated:

> python tools/tag_mixtures.py --data_folder /path/to/ESC-10 \
    --source /path/to/ast --output results/mixtures

With ``--variants linear --cached --trained_on all loudest alone`` it takes a
few minutes.
"""

import argparse
import csv
import json
import random
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import soundfile
from speechbrain_petl.dataio.audio import read_audio

from speechbrain.dataio.preprocess import AudioNormalizer

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "FSD50K"
RATE = 16000
SOFTEST = -6.0  # dB of the others below the loudest
SETS = {"train": (1, 2, 3), "val": (4,), "eval": (5,)}
TRAINED_ON = {
    "all": ("all", []),
    "loudest": ("loudest", []),
    "alone": ("alone", []),
    "mixup": ("alone", ["--mixup", "1.0"]),
}


def read_clips(folder: Path, seconds: float) -> dict[str, list[tuple]]:
    """Reads the corpus, as (class, waveform of equal power) by split."""
    with open(folder / "meta" / "esc50.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    splits: dict[str, list[tuple]] = {split: [] for split in SETS}
    for row in rows:
        (split,) = (s for s, folds in SETS.items() if int(row["fold"]) in folds)
        path = folder / "audio" / row["filename"]
        wave = read_audio(str(path), AudioNormalizer(RATE)).numpy()
        wave = np.resize(wave, round(seconds * RATE))
        power = np.sqrt(np.mean(wave**2))
        splits[split].append((row["category"], 0.05 * wave / (power + 1e-6)))
    return splits


def mix(clips: list[tuple], number: int, seed: str) -> list[tuple]:
    """Draws mixtures: (labels from the loudest on, waveform)."""
    draw = random.Random(seed)
    mixtures = []
    for _ in range(number):
        wanted, parts = draw.choice((2, 3)), {}
        while len(parts) < wanted:
            label, wave = draw.choice(clips)
            parts.setdefault(label, wave)
        gains = [0.0] + [draw.uniform(SOFTEST, 0.0) for _ in range(wanted - 1)]
        gains.sort(reverse=True)
        total = sum(
            wave * 10 ** (gain / 20)
            for wave, gain in zip(parts.values(), gains)
        )
        mixtures.append((list(parts), total))
    return mixtures


def write_corpus(folder: Path, splits: dict[str, list[tuple]]) -> None:
    """Writes clips with their labels in the layout of FSD50K."""
    truth = folder / "FSD50K.ground_truth"
    for name in ("dev_audio", "eval_audio", "ground_truth"):
        (folder / f"FSD50K.{name}").mkdir(parents=True, exist_ok=True)
    used = {x for clips in splits.values() for some, _ in clips for x in some}
    lines = [f"{i},{x},/m/{i}\n" for i, x in enumerate(sorted(used))]
    (truth / "vocabulary.csv").write_text("".join(lines))
    tables = {"dev": "fname,labels,mids,split\n", "eval": "fname,labels,mids\n"}
    for split, clips in splits.items():
        table = "eval" if split == "eval" else "dev"
        ending = "" if split == "eval" else f",{split}"
        for i, (labels, wave) in enumerate(clips):
            name = f"{split}{i:05}"
            tables[table] += f'{name},"{",".join(labels)}",{ending}\n'
            wave = wave / max(1.0, np.abs(wave).max())
            audio = folder / f"FSD50K.{table}_audio"
            soundfile.write(audio / f"{name}.wav", wave, RATE)
    for name, text in tables.items():
        (truth / f"{name}.csv").write_text(text)


def write_corpora(data_folder: Path, output: Path, seconds: float) -> None:
    """Writes the three training sets, with the same mixtures to test on."""
    clips = read_clips(data_folder, seconds)
    sizes = {"train": 240, "val": 120, "eval": 240}
    mixed = {s: mix(clips[s], sizes[s], f"1986/{s}") for s in SETS}
    single = {
        "all": mixed["train"],
        "loudest": [(labels[:1], wave) for labels, wave in mixed["train"]],
        "alone": [([label], wave) for label, wave in clips["train"]],
    }
    for name, train in single.items():
        write_corpus(output / "corpora" / name, {**mixed, "train": train})


def run(options, variant: str, name: str, seed: int) -> dict:
    """Trains and tests once; returns the results."""
    folder = options.output / variant / name / f"seed_{seed}"
    corpus, more = TRAINED_ON[name]
    if not (folder / "results.json").is_file():
        arguments = {
            "data_folder": options.output / "corpora" / corpus,
            "source": options.source,
            "output_folder": folder,
            "seed": seed,
            "number_of_epochs": options.epochs,
            "max_length": round(options.seconds * 100),
            "batch_size": 32,
            "freq_mask": 0 if options.cached else 24,
            "time_mask": 0 if options.cached else 48,
            "num_workers": 0,
        }
        if options.cached:
            arguments["cache_embeddings"] = True
        flat = [str(x) for k, v in arguments.items() for x in (f"--{k}", v)]
        command = [sys.executable, "train.py", f"hparams/{variant}.yaml"]
        subprocess.run(
            [*command, *flat, *more, "--device", "cpu", "--noprogressbar"],
            cwd=RECIPE,
            check=True,
        )
    return json.loads((folder / "results.json").read_text("utf-8"))


def table(found: dict[tuple[str, str], list[dict]]) -> str:
    """Formats the results as Markdown: mean and deviation over the seeds."""
    lines = [
        "| Method | Trained on | mAP | mAUC | F1, micro | seeds |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for (variant, name), runs in found.items():
        cells = []
        for key in ("mAP", "mAUC", "f1_micro"):
            values = [one[key] for one in runs]
            spread = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
            cells.append(f"{mean(values):.3f}{spread}")
        lines.append(
            f"| `{variant}` | {name} | {' | '.join(cells)} | {len(runs)} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Reads the command line, runs what is missing and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data_folder", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=2.5)
    parser.add_argument(
        "--cached",
        action="store_true",
        help="of linear probes: run the backbone once a clip; no augmentation",
    )
    parser.add_argument("--variants", nargs="+", default=["adapter_hou_par"])
    parser.add_argument("--trained_on", nargs="+", default=list(TRAINED_ON))
    options = parser.parse_args()
    options.output = options.output.resolve()
    if not (options.output / "corpora" / "alone").is_dir():
        write_corpora(options.data_folder, options.output, options.seconds)
    found = {
        (variant, name): [run(options, variant, name, s) for s in options.seeds]
        for variant in options.variants
        for name in options.trained_on
    }
    print(table(found))


if __name__ == "__main__":
    main()
