"""A corpus of clips with several labels: the layout of FSD50K."""

from pathlib import Path

import numpy as np
from speechbrain_petl.demo.folders import whole_folder, write_csv, write_wav
from speechbrain_petl.demo.sounds import DEMO

#: Leaves of the ontology with their ancestors, as in the original.
LEAVES = (
    ("Bark", "Dog", "Domestic_animals_and_pets", "Animal"),
    ("Meow", "Cat", "Domestic_animals_and_pets", "Animal"),
    ("Knock", "Door"),
    ("Doorbell", "Door", "Alarm"),
    ("Siren", "Alarm"),
    ("Applause",),
)
MIDS = {
    "Alarm": "/m/07pp_mv",
    "Animal": "/m/0jbk",
    "Applause": "/m/028ght",
    "Bark": "/m/05tny_",
    "Cat": "/m/01yrx",
    "Dog": "/m/0bt9lr",
    "Domestic_animals_and_pets": "/m/068hy",
    "Door": "/m/02dgv",
    "Doorbell": "/m/03wwcy",
    "Knock": "/m/07r4wb8",
    "Meow": "/m/07qrkrw",
    "Siren": "/m/03kmc9",
}
HEADERS = {"dev": "fname,labels,mids,split", "eval": "fname,labels,mids"}


def write_fsd50k(
    folder: str | Path,
    train: int = 60,
    valid: int = 24,
    test: int = 24,
    seconds: float = 2.0,
    sample_rate: int = 16000,
    seed: int = 1986,
) -> Path:
    """Writes a corpus in the layout of FSD50K.

    A clip holds one or two of six sounds at once, and has their labels and
    the labels' ancestors: 12 classes. Every sound is in every split that has
    six clips. Clips differ in length, from a sixth of ``seconds`` on.

    Arguments
    ---------
    folder: str or Path
        Where to: a new or empty folder, or one that was written here before.
    train, valid, test: int
        Number of clips in each split.
    seconds: float
        Length of the longest clips.
    sample_rate: int
        Samples a second.
    seed: int
        Same seed, same corpus.

    Returns
    -------
    Path
        The folder, with ``FSD50K.ground_truth/{dev,eval,vocabulary}.csv``,
        ``FSD50K.dev_audio/`` and ``FSD50K.eval_audio/``.
    """
    families = list(DEMO.values())
    rows: dict[str, list[tuple]] = {"dev": [], "eval": []}
    counts = {"train": train, "val": valid, "test": test}
    with whole_folder(folder, layout="fsd50k", seed=seed) as new:
        for part, (split, count) in enumerate(counts.items()):
            table = "eval" if split == "test" else "dev"
            for k in range(count):
                rng = np.random.default_rng([seed, part, k])
                chosen = {k % len(LEAVES)}
                if k % 2:
                    chosen.add(int(rng.integers(len(LEAVES))))
                length = seconds * rng.uniform(1 / 6, 1)
                wave = sum(
                    families[leaf](rng, int(length * sample_rate), sample_rate)
                    for leaf in sorted(chosen)
                ) / len(chosen)
                name = 100000 * (part + 1) + k
                audio = new / f"FSD50K.{table}_audio" / f"{name}.wav"
                write_wav(audio, wave, sample_rate)
                labels = dict.fromkeys(
                    label for leaf in sorted(chosen) for label in LEAVES[leaf]
                )
                mids = ",".join(MIDS[label] for label in labels)
                row = (name, ",".join(labels), mids, split)
                rows[table].append(row[: len(HEADERS[table].split(","))])
        truth = new / "FSD50K.ground_truth"
        for table, header in HEADERS.items():
            write_csv(truth / f"{table}.csv", header, rows[table])
        lines = [f"{i},{label},{MIDS[label]}" for i, label in enumerate(MIDS)]
        (truth / "vocabulary.csv").write_text("\n".join(lines) + "\n")
    return Path(folder)
