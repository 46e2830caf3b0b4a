"""Writes small corpora of procedural sounds in the layouts of real ones.

They let recipes, tests and demonstrations run with nothing to download. Every
clip depends on the seed and on its own place in the corpus only, so that the
same call writes the same bytes, and a larger corpus holds the smaller one's
clips. From the command line::

    python -m speechbrain_petl.demo.corpora esc50 <folder> --seconds 2.0
"""

import argparse
import inspect
from collections.abc import Callable
from pathlib import Path

from speechbrain_petl.demo.acted import write_iemocap
from speechbrain_petl.demo.music import write_gtzan
from speechbrain_petl.demo.sound_events import (
    write_audio_folder,
    write_esc50,
    write_urbansound8k,
)
from speechbrain_petl.demo.spoken import (
    write_fluent_speech_commands,
    write_speech_commands,
)
from speechbrain_petl.demo.tagged import write_fsd50k
from speechbrain_petl.demo.verified import write_voxceleb
from speechbrain_petl.utils.messages import did_you_mean, name_some

#: By name: what writes a corpus, and a size of it for checks.
MINIATURES: dict[str, tuple[Callable[..., Path], dict]] = {
    "esc50": (
        write_esc50,
        {"clips_per_class_and_fold": 2, "classes": 4, "seconds": 0.5},
    ),
    "urbansound8k": (
        write_urbansound8k,
        {"clips_per_class_and_fold": 1, "classes": 4, "seconds": 0.5},
    ),
    "audio_folder": (
        write_audio_folder,
        {"clips_per_class": 7, "classes": 4, "seconds": 0.5},
    ),
    "speech_commands": (
        write_speech_commands,
        {"words": 4, "speakers": 5, "takes": 1},
    ),
    "fluent_speech_commands": (
        write_fluent_speech_commands,
        {"intents": 4, "speakers": 5, "seconds": 0.6},
    ),
    "gtzan": (write_gtzan, {"genres": 4, "seconds": 0.5}),
    "iemocap": (write_iemocap, {"takes": 1, "seconds": 0.5}),
    "fsd50k": (
        write_fsd50k,
        {"train": 18, "valid": 12, "test": 12, "seconds": 0.5},
    ),
    "voxceleb": (write_voxceleb, {"speakers": 8, "seconds": 0.5}),
}


def write_small(name: str, folder: str | Path) -> Path:
    """Writes a corpus for a recipe that trains on it in seconds.

    Arguments
    ---------
    name : str
        Name of the miniature, such as ``esc50``.
    folder : str or Path
        Where to: a new or empty folder, or one that was written here before.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ValueError
        If there is no miniature of that name.

    Example
    -------
    >>> folder = write_small("esc50", getfixture("tmp_path") / "ESC-50")
    >>> len(list(folder.glob("audio/*.wav")))
    40
    """
    if name not in MINIATURES:
        hint = did_you_mean(name, MINIATURES) or (
            f"there are {name_some(MINIATURES)}"
        )
        raise ValueError(f"There is no miniature '{name}'; {hint}")
    writer, sizes = MINIATURES[name]
    return writer(folder, **sizes)


def main(arguments: list[str] | None = None) -> None:
    """The command line: every argument of a writer is an option of its name."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    corpora = parser.add_subparsers(dest="corpus", required=True)
    for name, (writer, _) in MINIATURES.items():
        options = corpora.add_parser(
            name, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        options.add_argument("folder", type=Path)
        for option in inspect.signature(writer).parameters.values():
            if option.name != "folder":
                options.add_argument(
                    f"--{option.name}",
                    type=type(option.default),
                    default=option.default,
                    help=" ",
                )
    chosen = vars(parser.parse_args(arguments))
    writer, _ = MINIATURES[chosen.pop("corpus")]
    print(writer(**chosen))


if __name__ == "__main__":
    main()
