"""Few-shot training: k clips of each class."""

import json
import random
from collections.abc import Mapping
from pathlib import Path

from speechbrain_petl.utils.files import write_json

from speechbrain.utils.logger import get_logger

logger = get_logger(__name__)


def keep_shots(manifest: str | Path, shots: int | None, draw: int) -> None:
    """Reduces a manifest to ``shots`` entries of each class.

    The manifest stays with the run and records which clips were drawn.

    Arguments
    ---------
    manifest : str or Path
        Training manifest from the data preparation; it is replaced.
    shots : int, optional
        Number of entries to keep of each class; all by default.
    draw : int
        Seed of the draw.

    Raises
    ------
    ValueError
        See ``draw_few_shot``.

    Example
    -------
    >>> path = getfixture("tmpdir") / "train.json"
    >>> entries = {f"clip{i}": {"label": "ab"[i % 2]} for i in range(10)}
    >>> path.write_text(json.dumps(entries), "utf-8")
    >>> keep_shots(path, shots=1, draw=0)
    >>> len(json.loads(path.read_text("utf-8")))
    2
    """
    if shots is None:
        return
    if not isinstance(shots, int):
        raise ValueError(
            f"shots is {shots!r}: give a whole number, or null for all clips."
        )
    manifest = Path(manifest)
    entries = json.loads(manifest.read_text("utf-8"))
    drawn = draw_few_shot(entries, shots, draw)
    logger.info(
        f"Training on {shots} clips of each class, {len(drawn)} of "
        f"{len(entries)} in all: draw {draw}."
    )
    write_json(manifest, drawn)


def draw_few_shot(
    manifest_entries: Mapping[str, dict],
    k: int,
    seed: int,
    label_key: str = "label",
) -> dict[str, dict]:
    """Draws ``k`` entries of each class.

    The draw depends on the seed and the ids alone. With the same seed, the
    draw of a smaller ``k`` is contained in that of a larger one, so that
    curves over ``k`` are comparable. Where entries have several classes, more
    than ``k`` of a class may be drawn: some of them for other classes.

    Arguments
    ---------
    manifest_entries : dict
        Entries of the manifest by id.
    k : int
        Number of entries to draw of each class, at least 1.
    seed : int
        Seed of the draw.
    label_key : str
        Key of the class, or of the list of classes, in an entry.

    Returns
    -------
    dict
        Drawn entries, sorted by id.

    Raises
    ------
    ValueError
        If ``k`` is less than 1 or a class has fewer than ``k`` entries.

    Example
    -------
    >>> manifest = {f"clip{i}": {"label": "ab"[i % 2]} for i in range(10)}
    >>> drawn = draw_few_shot(manifest, k=2, seed=0)
    >>> sorted(entry["label"] for entry in drawn.values())
    ['a', 'a', 'b', 'b']
    """
    if k < 1:
        raise ValueError(f"k is {k}, but a few-shot draw needs at least 1.")
    by_class: dict[str, list[str]] = {}
    for key in sorted(manifest_entries):
        labels = manifest_entries[key][label_key]
        for label in [labels] if isinstance(labels, str) else labels:
            by_class.setdefault(label, []).append(key)
    drawn: set[str] = set()
    for label, keys in by_class.items():
        if len(keys) < k:
            raise ValueError(
                f"Class {label!r} has {len(keys)} entries, but {k} of each "
                "class are wanted: lower k, or add folds to train on."
            )
        # One generator a class: the draw of a class does not depend on which
        # other classes there are.
        random.Random(f"{seed}/{label}").shuffle(keys)
        drawn.update(keys[:k])
    return {key: manifest_entries[key] for key in sorted(drawn)}
