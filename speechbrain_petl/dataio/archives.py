"""Unpacks an archive that may be hostile, whole or not at all.

It is unpacked into a temporary folder and renamed, so that nobody ever sees
half a corpus.
"""

import os
import tarfile
import tempfile
import zipfile
from pathlib import Path

from speechbrain_petl.utils.files import climbs_out


def refuse_occupied(folder: Path) -> None:
    """Raises an error unless a folder is absent or empty.

    Arguments
    ---------
    folder : Path
        Folder to unpack to.

    Raises
    ------
    FileExistsError
        If there is something in it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(
            f"{folder} is there already and not empty: remove it, or choose "
            "another folder to unpack to."
        )


def unpack(
    archive: str | Path,
    destination_folder: str | Path,
    top_level: str | None = None,
) -> None:
    """Unpacks a zip or tar archive, whole or not at all.

    Arguments
    ---------
    archive : str or Path
        The archive; its kind is found by its content.
    destination_folder : str or Path
        Folder that its root, or ``top_level``, becomes.
    top_level : str, optional
        Folder in the archive to unpack; everything by default.

    Raises
    ------
    ValueError
        If a member would land outside of the destination, or the archive is
        not one, or does not have the folder ``top_level``.
    FileExistsError
        If there is something in the destination already.

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> with zipfile.ZipFile(folder / "corpus.zip", "w") as file:
    ...     file.writestr("corpus-main/meta/clips.csv", "name,fold")
    >>> unpack(folder / "corpus.zip", folder / "corpus", "corpus-main")
    >>> print((folder / "corpus" / "meta" / "clips.csv").read())
    name,fold
    """
    archive, destination = Path(archive), Path(destination_folder).absolute()
    refuse_occupied(destination)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=".unpacking-", dir=destination.parent
    ) as scratch:
        # Not scratch itself, which only its owner may read.
        root = Path(scratch) / "root"
        root.mkdir()
        if tarfile.is_tarfile(archive):
            with tarfile.open(archive) as file:
                try:
                    file.extractall(root, filter=strict_filter)
                except tarfile.FilterError as error:
                    raise unsafe(archive.name, error.tarinfo.name) from error
        elif zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as file:
                # Links need no check here: zipfile does not make any.
                for name in file.namelist():
                    if climbs_out(name):
                        raise unsafe(archive.name, name)
                file.extractall(root)
        else:
            raise ValueError(f"{archive} is neither a zip nor a tar archive.")
        corpus = root / (top_level or "")
        if not corpus.is_dir():
            raise ValueError(
                f"{archive} has no folder {top_level}, but "
                f"{', '.join(sorted(os.listdir(root))) or 'nothing'}."
            )
        if destination.exists():
            destination.rmdir()
        os.replace(corpus, destination)


def strict_filter(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo:
    """Refuses members that tarfile's ``data`` filter would silently correct.

    Arguments
    ---------
    member : tarfile.TarInfo
        Member to be unpacked.
    path : str
        Folder to unpack to.

    Returns
    -------
    tarfile.TarInfo
        Member with permissions and ownership made safe.

    Raises
    ------
    tarfile.FilterError
        If the member, or what it links to, lies outside of ``path``.
    """
    if climbs_out(member.name):
        raise tarfile.OutsideDestinationError(member, path)
    return tarfile.data_filter(member, path)


def unsafe(archive: str, member: str) -> ValueError:
    """Returns the error to raise about a member of an archive.

    Arguments
    ---------
    archive : str
        Name of the archive.
    member : str
        Name of the member.

    Returns
    -------
    ValueError
    """
    return ValueError(
        f"{archive} was not unpacked: its member {member!r} would land "
        "outside of the destination."
    )
