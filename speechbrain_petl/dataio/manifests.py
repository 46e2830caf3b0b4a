"""Writes SpeechBrain manifests, whole or not at all.

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
    """A clip that is listed in the metadata of a corpus.

    Arguments
    ---------
    id : str
        Identifier, unique in the corpus.
    path : str
        Audio file relative to the corpus, with forward slashes.
    label : str or list of str
        Name of its class, or of its classes where the corpus gives several.
    extra : dict
        Further keys of its entry in the manifest.
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
        Output folder; created if it does not exist.
    data_folder : str or Path
        Folder of the corpus.
    splits : dict of str to iterable of Clip
        Clips of each split.
    labels : iterable of str
        Classes in their official order.
    skip_bad_audio : bool
        If True, leaves out audio files that cannot be used, with a warning.
    may_be_empty : collection of str
        Names of the splits that may have no clip.

    Raises
    ------
    ValueError
        If two clips share an id, a split is empty or ``check_audio`` refuses
        a file. Nothing is written then.

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
                "wav": "{data_root}/" + literal(clip.path),
                "duration": durations[clip.path],
                "label": literal(clip.label),
                **literal(clip.extra),
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


def literal(value):
    """Escapes the braces of all text, which SpeechBrain takes for templates.

    Arguments
    ---------
    value : object
        What an entry of a manifest holds.

    Returns
    -------
    object
        The same, as ``load_data_json`` has to find it.

    Example
    -------
    >>> literal({"label": ["{data_root}", "dog"], "fold": 1})
    {'label': ['{{data_root}}', 'dog'], 'fold': 1}
    """
    if isinstance(value, str):
        return value.replace("{", "{{").replace("}", "}}")
    if isinstance(value, dict):
        return {key: literal(part) for key, part in value.items()}
    if isinstance(value, list):
        return [literal(part) for part in value]
    return value
