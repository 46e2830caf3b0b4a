"""Checks that a corpus on disk is present, complete and readable.

The corpus is never written to.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from speechbrain_petl.dataio.audio import look_at
from speechbrain_petl.utils.files import climbs_out
from speechbrain_petl.utils.messages import name_some

from speechbrain.utils.logger import get_logger

logger = get_logger(__name__)


def require_corpus(
    data_folder: str | Path, files: Iterable[str], corpus: str, remedy: str
) -> Path:
    """Checks that a folder is the root of a corpus.

    Arguments
    ---------
    data_folder : str or Path
        Folder of the corpus.
    files : iterable of str
        Files and folders that its root must contain.
    corpus : str
        Name of the corpus, for the message.
    remedy : str
        End of the message: how to get the corpus.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FileNotFoundError
        If the folder or one of the files does not exist.
    """
    data_folder = Path(data_folder)
    if not data_folder.is_dir():
        raise FileNotFoundError(
            f"There is no folder {data_folder} to read {corpus} from: {remedy}"
        )
    for name in files:
        if not (data_folder / name).exists():
            raise FileNotFoundError(
                f"{data_folder} is not the root of {corpus}, as it has no "
                f"{name}: {remedy}"
            )
    return data_folder


def warn_if_excerpt(
    corpus: str, data_folder: Path, sizes: Mapping[str, tuple[int, int]]
) -> None:
    """Logs one warning if a corpus differs in size from the published one.

    Arguments
    ---------
    corpus : str
        Name of the corpus.
    data_folder : Path
        Folder of the corpus.
    sizes : dict of str to (int, int)
        For each kind of item, the number found and the number published.
    """
    differing = [
        f"{found} of {published} {what}"
        for what, (found, published) in sizes.items()
        if found != published
    ]
    if differing:
        logger.warning(
            f"{data_folder} is not the whole of {corpus}, but "
            f"{', '.join(differing)}: do not compare its results with "
            "published ones."
        )


def check_audio(
    data_folder: str | Path, paths: Iterable[str], skip_bad_audio: bool = False
) -> dict[str, float]:
    """Checks every audio file.

    Arguments
    ---------
    data_folder : str or Path
        Folder of the corpus.
    paths : iterable of str
        Paths of the audio files relative to it.
    skip_bad_audio : bool
        If True, leaves out unusable files (see ``look_at``) with a warning.

    Returns
    -------
    dict of str to float
        Duration of each usable file in seconds.

    Raises
    ------
    ValueError
        If a path leads out of the corpus, or, unless ``skip_bad_audio``, any
        file is unusable. The message counts all of them.
    """
    data_folder = Path(data_folder)
    paths = sorted(set(paths))
    for path in paths:
        if climbs_out(path):
            raise ValueError(
                f"The metadata of {data_folder} names {path}, which is not "
                "inside that folder: restore the original metadata."
            )
    # Threads, as this waits for the disk, above all for a network drive.
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = dict(
            zip(paths, pool.map(lambda p: look_at(data_folder / p), paths))
        )
    bad = [f"{p} ({reason})" for p, (_, reason) in found.items() if reason]
    if bad:
        message = (
            f"{len(bad)} of {len(paths)} audio files of {data_folder} cannot "
            f"be used: {name_some(bad)}"
        )
        if not skip_bad_audio:
            raise ValueError(
                f"{message}; restore them, or set skip_bad_audio to True to "
                "go on without them."
            )
        logger.warning(f"{message}; going on without them.")
    return {
        p: duration for p, (duration, reason) in found.items() if not reason
    }
