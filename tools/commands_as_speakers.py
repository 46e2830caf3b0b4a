#!/usr/bin/env python3
"""Verifies the speakers of Speech Commands by the recipe for VoxCeleb1.

Speech Commands names who says each word, so that an excerpt of it is a small
corpus of real speakers. It is laid out as VoxCeleb1 (a word is a "video"),
speakers are drawn to be tested, and the recipe trains on the others:

> python tools/commands_as_speakers.py /path/to/SpeechCommands out \\
>     --ast /path/to/ast --wav2vec2 /path/to/wav2vec2

writes ``out/table.md``, with the frozen backbone's error rate beside those of
what was trained. Started again, it repeats no run that is finished.
"""

import argparse
import json
import random
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain_petl.dataio.datasets import make_datasets
from speechbrain_petl.dataio.draw_trials import draw_trials
from speechbrain_petl.dataio.trials import load_trials
from speechbrain_petl.training.embeddings import SCORINGS, embed_utterances
from speechbrain_petl.training.verification_results import Scored

from speechbrain.dataio.batch import PaddedBatch
from speechbrain.dataio.dataloader import make_dataloader

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "VoxCeleb"
METHODS = ("linear", "ipet", "adapter_hou_par")
#: Of recordings of one second; masks that leave something of them.
OPTIONS = {
    "max_length": 100,
    "windows": 1,
    "scoring": "cosine",
    "valid_speakers": 40,
    "valid_trials": 2000,
    "batch_size": 32,
    "num_workers": 0,
    "precision": "fp32",
    "device": "cpu",
}
MASKS = {"freq_mask": 24, "time_mask": 16}
SPEAKER = re.compile(r"(\w+)_nohash_(\d+)")


def lay_out(commands: Path, folder: Path, tested: int, trials: int) -> int:
    """Copies the words into VoxCeleb1's layout, with a list of trials.

    Arguments
    ---------
    commands : Path
        Speech Commands: a folder for each word.
    folder : Path
        Where to.
    tested : int
        Number of speakers to test, of two words or more.
    trials : int
        Number of trials at most, half of each kind.

    Returns
    -------
    int
        Number of speakers in all.
    """
    said: dict[str, list[str]] = {}
    for file in sorted(commands.glob("*/*_nohash_*")):
        speaker, take = SPEAKER.match(file.stem).groups()
        name = f"{speaker}/{file.parent.name}/{int(take):05}{file.suffix}"
        said.setdefault(speaker, []).append(name)
        (folder / "wav" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / "wav" / name)
    talkers = [speaker for speaker, files in said.items() if len(files) > 1]
    chosen = random.Random(0).sample(sorted(talkers), tested)
    pairs = draw_trials({name: said[name] for name in chosen}, trials, seed=0)
    lines = [f"{int(t.target)} {t.first} {t.second}\n" for t in pairs]
    (folder / "veri_test2.txt").write_text("".join(lines))
    return len(said)


def train(yaml: Path, folder: Path, options: dict) -> dict:
    """Runs the recipe, and returns its results."""
    name = yaml.relative_to(RECIPE)
    command = [sys.executable, "train.py", str(name), "--noprogressbar"]
    command += [f"--{key}={value}" for key, value in options.items()]
    subprocess.run(
        [*command, f"--output_folder={folder}"],
        cwd=RECIPE,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return json.loads((folder / "results.json").read_text())


@torch.no_grad()
def frozen(yaml: Path, folder: Path, options: dict) -> dict:
    """Tests a backbone as it is, on the trials of a finished run."""
    known = {key for key in options if f"\n{key}:" in yaml.read_text()}
    hparams = load_hyperpyyaml(
        yaml.read_text(),
        {k: options[k] for k in known} | {"output_folder": str(folder)},
    )
    manifest = hparams["test_manifest"]
    dataset = make_datasets({"test": manifest}, options["data_folder"], None)[
        "test"
    ]
    model = hparams["encoder"].eval()
    ids, parts = [], []
    for batch in make_dataloader(
        dataset, batch_size=32, collate_fn=PaddedBatch
    ):
        ids += batch.id
        front_end = hparams["compute_features"].eval()
        parts.append(embed_utterances(*batch.sig, front_end, model))
    places = {id_: row for row, id_ in enumerate(ids)}
    trials = load_trials(hparams["test_trial_list"], ids)
    rows = [
        torch.tensor([places[getattr(t, side)] for t in trials])
        for side in ("first", "second")
    ]
    scores = SCORINGS[options["scoring"]](torch.cat(parts), *rows)
    targets = torch.tensor([t.target for t in trials])
    return Scored(trials, targets, *rows, scores).metrics()


def main() -> None:
    """Lays the corpus out, trains, and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("commands", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--ast", help="folder of an AST")
    parser.add_argument("--wav2vec2", help="folder of a wav2vec 2.0")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--tested", type=int, default=80)
    parser.add_argument("--trials", type=int, default=4000)
    given = parser.parse_args()
    output = given.output.resolve()
    corpus = output / "corpus"
    if not (corpus / "veri_test2.txt").is_file():
        lay_out(given.commands, corpus, given.tested, given.trials)
    lines = [
        "| backbone | method | trained, without head | EER, % | minDCF |",
        "|---|---|---:|---:|---:|",
    ]
    for family, source, place in (
        ("AST", given.ast, "ast"),
        ("wav2vec 2.0", given.wav2vec2, "wav2vec2"),
    ):
        if source is None:
            continue
        options = {
            **OPTIONS,
            **(MASKS if family == "AST" else {}),
            "data_folder": str(corpus),
            "source": str(Path(source).resolve()),
            "number_of_epochs": given.epochs,
        }
        for method in METHODS:
            folder = "" if place == "ast" else place
            yaml = RECIPE / "hparams" / folder / f"{method}.yaml"
            runs = [
                output / place / method / f"seed_{seed}" for seed in given.seeds
            ]
            found = [
                train(yaml, run, {**options, "seed": seed})
                for run, seed in zip(runs, given.seeds)
            ]
            told_of, finished = found[0], runs[0]
            if method == "linear":
                bare = frozen(yaml, finished, options)
                lines.append(
                    f"| {family} | frozen | 0 | {100 * bare['eer']:.2f} | "
                    f"{bare['min_dcf']:.3f} |"
                )
            trained = sum(
                count
                for kind, count in found[0]["trainable"].items()
                if kind != "head"
            )
            lines.append(
                f"| {family} | {method} | {trained:,} | "
                f"{told([100 * one['eer'] for one in found], 2)} | "
                f"{told([one['min_dcf'] for one in found], 3)} |"
            )
            print("\n".join(lines), flush=True)
    manifest = finished / "manifest" / "train.json"
    trained_on = json.loads(manifest.read_text())
    speakers = {entry["label"] for entry in trained_on.values()}
    lines += [
        "",
        f"{told_of['n_test']:,} trials, {told_of['n_target']:,} of them target "
        f"trials, of {told_of['n_utterances']} words by {given.tested} speakers; "
        f"trained on {len(trained_on)} words by {len(speakers)} others, "
        f"{OPTIONS['valid_speakers']} more validate on "
        f"{told_of['valid_trials']:,} trials. {given.epochs} epochs, seeds "
        f"{', '.join(map(str, given.seeds))}: mean ± standard deviation.",
    ]
    (output / "table.md").write_text("\n".join(lines) + "\n")


def told(values: list[float], decimals: int) -> str:
    """Returns mean and standard deviation as text."""
    spread = ""
    if len(values) > 1:
        spread = f" ± {statistics.stdev(values):.{decimals}f}"
    return f"{statistics.mean(values):.{decimals}f}{spread}"


if __name__ == "__main__":
    main()
