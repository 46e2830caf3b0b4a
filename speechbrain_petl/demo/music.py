"""A corpus of "music": the layout of GTZAN."""

from pathlib import Path

import numpy as np
import soundfile
from speechbrain_petl.demo.folders import whole_folder, write_wav
from speechbrain_petl.demo.sounds import DEMO

GENRES = (
    "blues classical country disco hiphop jazz metal pop reggae rock".split()
)
#: The clip that is not audio in the copy that most people have.
BROKEN = "jazz.00054"


def write_gtzan(
    folder: str | Path,
    genres: int = 10,
    every: int = 9,
    seconds: float = 2.0,
    sample_rate: int = 16000,
    seed: int = 1986,
) -> Path:
    """Writes a corpus in the layout of GTZAN, one DEMO family a genre.

    The clips have the original's numbers, which say the splits; every split
    and fold has some of each genre where ``every`` is 9 or less. As in most
    copies, jazz.00054 is not audio. The blues are ``.au`` files, as all of
    the original's are.

    Arguments
    ---------
    folder: str or Path
        Where to: a new or empty folder, or one that was written here before.
    genres: int
        The first so many genres, at most 10.
    every: int
        Distance of the clips' numbers, which are 0 to 99.
    seconds: float
        Length of every clip.
    sample_rate: int
        Samples a second.
    seed: int
        Same seed, same corpus.

    Returns
    -------
    Path
        The folder, with ``genres_original/<genre>/<genre>.000NN.wav``.
    """
    if not 1 <= genres <= len(GENRES):
        raise ValueError(f"{genres} genres: there are 1 to {len(GENRES)}")
    families = list(DEMO.values())
    n_samples = int(seconds * sample_rate)
    with whole_folder(folder, layout="gtzan", seed=seed) as new:
        for index, genre in enumerate(GENRES[:genres]):
            for number in range(0, 100, every):
                rng = np.random.default_rng([seed, index, number])
                wave = families[index](rng, n_samples, sample_rate)
                name = f"{genre}.{number:05}"
                path = new / "genres_original" / genre / f"{name}.wav"
                if name == BROKEN:
                    path.write_bytes(b"no audio")
                elif genre == "blues":
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path = path.with_suffix(".au")
                    soundfile.write(path, wave, sample_rate, "PCM_16")
                else:
                    write_wav(path, wave, sample_rate)
    return Path(folder)
