"""SpeechBrain manifests, written whole or not at all.

A manifest names its audio files relative to ``{data_root}``, so that it stays
valid when the corpus moves. Beside the manifests lies ``label_encoder.txt``
with the classes in the official order of the corpus: the same for every fold
and every seed, and the size of the classification head.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from speechbrain_petl.dataio.corpus import check_audio
from speechbrain_petl.dataio.labels import LABEL_MAP, write_label_map
from speechbrain_petl.utils.files import write_json
from speechbrain_petl.utils.messages import name_some


@dataclass(frozen=True)
class Clip:
    """A clip that the metadata of a corpus lists.

    Arguments
    ---------
    id : str
        Unique in the corpus.
    path : str
        The audio file, relative to the corpus, with forward slashes.
    label : str or list of str
        Its class, or its classes where the corpus gives several.
    extra : dict
        What else the manifest should hold of it.
    """

    id: str
    path: str
    label: str | list[str]
    extra: dict = field(default_factory=dict)


def write_manifests(
    manifest_folder: str | Path,
    data_folder: str | Path,
    splits: Mapping[str, Iterable[Clip]],
    labels: Iterable[str],
    skip_bad_audio: bool = False,
    may_be_empty: Collection[str] = (),
) -> None:
    """Checks the clips and writes ``<split>.json`` and ``label_encoder.txt``.

    Arguments
    ---------
    manifest_folder : str or Path
        Where to write; created if need be.
    data_folder : str or Path
        The corpus.
    splits : dict of str to iterable of Clip
        The clips of each split.
    labels : iterable of str
        The classes in their official order.
    skip_bad_audio : bool
        Leave out missing, unreadable and empty audio files with a warning.
    may_be_empty : collection of str
        Splits that may have no clip.

    Raises
    ------
    ValueError
        If two clips share an id, a split is empty or ``check_audio`` finds
        fault with a file. Nothing is written then.

    Example
    -------
    >>> import numpy, soundfile
    >>> root = getfixture("tmpdir")
    >>> soundfile.write(str(root / "a.wav"), numpy.zeros(16000), 16000)
    >>> clips = {"test": [Clip("a", "a.wav", "dog", {"fold": 1})]}
    >>> write_manifests(root / "save", root, clips, ["dog"])
    >>> print((root / "save" / "test.json").read_text("utf-8"))
    {
      "a": {
        "wav": "{data_root}/a.wav",
        "duration": 1.0,
        "label": "dog",
        "fold": 1
      }
    }
    <BLANKLINE>
    """
    splits = {name: list(clips) for name, clips in splits.items()}
    clips = [clip for split in splits.values() for clip in split]
    ids = [clip.id for clip in clips]
    if len(set(ids)) < len(ids):
        counts = Counter(ids)
        twice = sorted(key for key, count in counts.items() if count > 1)
        raise ValueError(
            f"{len(twice)} clips of {data_folder} are listed more than once: "
            f"{name_some(twice)}; restore the original metadata."
        )
    durations = check_audio(
        data_folder, (clip.path for clip in clips), skip_bad_audio
    )
    manifests = {}
    for name, split in splits.items():
        manifests[name] = {
            clip.id: {
                "wav": f"{{data_root}}/{clip.path}",
                "duration": durations[clip.path],
                "label": clip.label,
                **clip.extra,
            }
            for clip in sorted(split, key=lambda clip: clip.id)
            if clip.path in durations
        }
        if not manifests[name] and name not in may_be_empty:
            raise ValueError(
                f"No clip of {data_folder} is left for the {name} split: "
                "check the folds or lists that make it up."
            )

    manifest_folder = Path(manifest_folder)
    manifest_folder.mkdir(parents=True, exist_ok=True)
    write_label_map(manifest_folder / LABEL_MAP, labels)
    for name, manifest in manifests.items():
        write_json(manifest_folder / f"{name}.json", manifest)
