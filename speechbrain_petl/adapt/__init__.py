"""From a folder of sounds to an adapter, in one call."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from speechbrain_petl.artefacts.open import Artefact


def adapt(
    sounds: str | os.PathLike,
    backbone: str | None = None,
    minutes: float = 10.0,
    output: str | os.PathLike | None = None,
    data_folder: str | os.PathLike | None = None,
    **options: Any,
) -> "Artefact":
    """Trains an adapter on a folder or a table of sounds.

    Like ``speechbrain-petl train``: the test split is used once, and a page
    in the output folder tells what was found. A call that was interrupted
    goes on where it stopped.

    Arguments
    ---------
    sounds : str or path-like
        Folder with a subfolder for each class, or a table (CSV, ``.jsonl``)
        with the columns ``file`` and ``label``.
    backbone : str, optional
        Id of the Hugging Face hub, or folder; by default AST, pretrained on
        AudioSet.
    minutes : float
        Time for everything.
    output : str or path-like, optional
        Output folder; by default ``results/<name of the folder or table>``.
    data_folder : str or path-like, optional
        Folder that the files of a table are relative to; by default the
        table's own.
    **options : dict
        Further options of ``adapt.request.Request``, such as ``method``,
        ``params``, ``vote``, ``group_by``, and ``artefact``, one that these
        sounds are added to.

    Returns
    -------
    Artefact
        What was trained; its ``metadata["metrics"]`` has the test accuracy.

    Raises
    ------
    ValueError
        If the sounds cannot be used, or an option cannot be meant.

    Example
    -------
    >>> artefact = adapt("sounds", backbone="./ast-mini")  # doctest: +SKIP
    >>> artefact.metadata["metrics"]["accuracy"]  # doctest: +SKIP
    0.91
    """
    # Only now: other modules of this room are imported without all of it, and
    # what cannot be meant is refused before.
    from speechbrain_petl.adapt.request import Request

    sounds = Path(sounds)
    is_table = sounds.is_file()
    folder = data_folder or (sounds.parent if is_table else sounds)
    name = sounds.stem if is_table else sounds.absolute().name
    request = Request(
        data_folder=str(folder),
        output=str(output or Path("results") / name),
        metadata=str(sounds) if is_table else None,
        source=backbone,
        minutes=minutes,
        **options,
    )
    from speechbrain_petl.adapt.session import train_folder
    from speechbrain_petl.artefacts.open import Artefact

    final = train_folder(request)
    return Artefact.open(final.artefact)
