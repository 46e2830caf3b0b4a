"""Downloads an archive, verifies its checksum and unpacks it.

An interrupted download is continued where it stopped, even by a later run. An
archive without the published checksum is deleted.
"""

import os
import re
import time
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests
from filelock import FileLock
from speechbrain_petl.dataio.archives import refuse_occupied, unpack
from tqdm import tqdm


class DownloadError(OSError):
    """An archive could not be downloaded."""


class ResumableDownloader:
    """A downloader for ``pooch`` that continues an interrupted download.

    Arguments
    ---------
    part_file : Path
        File of the bytes received so far, kept across runs.
    tries : int
        Number of attempts in a row without progress.
    pause : float
        Seconds to wait after the first failure, multiplied by the number of
        failures afterwards.
    timeout : float
        Seconds of silence after which the connection counts as lost.
    """

    def __init__(
        self,
        part_file: Path,
        tries: int = 4,
        pause: float = 1.0,
        timeout: float = 30.0,
    ):
        self.part_file = part_file
        self.tries = tries
        self.pause = pause
        self.timeout = timeout

    def __call__(self, url: str, output_file: str, pooch: object = None):
        """Downloads ``url`` to ``output_file``; called by ``pooch``."""
        furthest, failures = self._size(), 0
        while True:
            try:
                self._continue(url)
                break
            except requests.RequestException as error:
                failures = 1 if self._size() > furthest else failures + 1
                furthest = max(furthest, self._size())
                if failures == self.tries or not self._may_pass(error):
                    raise
                time.sleep(self.pause * failures)
        os.replace(self.part_file, output_file)

    def _size(self) -> int:
        """Returns the number of bytes received so far."""
        return self.part_file.stat().st_size if self.part_file.exists() else 0

    @staticmethod
    def _may_pass(error: requests.RequestException) -> bool:
        """Returns True unless it fails again for sure, as after a 404."""
        if isinstance(error, requests.HTTPError):
            status = error.response.status_code
            return status >= 500 or status in (408, 429)
        return not isinstance(error, ValueError)

    def _continue(self, url: str) -> None:
        """Fetches the bytes that the part file lacks."""
        have = self._size()
        # Ranges count bytes of the encoded body: ask for the file as it is.
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with requests.get(
            url, headers=headers, stream=True, timeout=self.timeout
        ) as response:
            if have and response.status_code == 416:
                # Nothing comes after what we have: it is whole, or not of
                # this file.
                if response.headers.get("Content-Range") == f"bytes */{have}":
                    return
                self.part_file.unlink()
                raise requests.ConnectionError("the part file is too long")
            response.raise_for_status()
            resumed = response.status_code == 206
            if resumed:
                content_range = response.headers.get("Content-Range", "")
                if not re.match(rf"bytes {have}-", content_range):
                    self.part_file.unlink()
                    raise requests.ConnectionError("got another range")
            start = have if resumed else 0
            length = response.headers.get("Content-Length")
            total = start + int(length) if length else None
            with open(self.part_file, "ab" if resumed else "wb") as part:
                with tqdm(
                    desc=self.part_file.stem,
                    total=total,
                    initial=start,
                    unit="B",
                    unit_scale=True,
                    disable=None,  # where there is no terminal
                ) as progress:
                    for chunk in response.iter_content(1 << 16):
                        part.write(chunk)
                        progress.update(len(chunk))
        if total is not None and self._size() != total:
            raise requests.ConnectionError("the connection closed early")


def fetch_archive(
    url: str,
    known_hash: str,
    destination_folder: str | Path,
    top_level: str | None = None,
) -> Path:
    """Downloads a zip or tar archive, verifies it and unpacks it.

    Of several processes that need the same archive, the first downloads it
    and the others wait.

    Arguments
    ---------
    url : str
        URL of the archive.
    known_hash : str
        Published checksum, as ``md5:...`` or ``sha256:...``.
    destination_folder : str or Path
        Folder that becomes the root of the corpus. It must be absent or
        empty. The archive is kept beside it until it is unpacked.
    top_level : str, optional
        Folder in the archive that is the root of the corpus; the root of the
        archive by default.

    Returns
    -------
    Path
        The destination.

    Raises
    ------
    DownloadError
        If the archive cannot be downloaded.
    ValueError
        If it has another checksum, or ``unpack`` refuses it.
    FileExistsError
        If there is something in the destination already.
    """
    destination = Path(destination_folder).absolute()
    refuse_occupied(destination)
    archive = destination.parent / (Path(urlsplit(url).path).name or "archive")
    archive.parent.mkdir(parents=True, exist_ok=True)
    lock = archive.with_name(f".{archive.name}.lock")
    try:
        with FileLock(lock):
            # Another process may have fetched it while this one waited.
            if not (destination.is_dir() and any(destination.iterdir())):
                _fetch(url, known_hash, archive, destination, top_level)
    finally:
        lock.unlink(missing_ok=True)
    return destination


def _fetch(url, known_hash, archive, destination, top_level):
    """Downloads and unpacks, with the lock held."""
    was_there = archive.exists()
    part_file = archive.with_name(f"{archive.name}.part")
    try:
        pooch.retrieve(
            url,
            known_hash,
            fname=archive.name,
            path=archive.parent,
            downloader=ResumableDownloader(part_file),
        )
    except requests.RequestException as error:
        status = isinstance(error, requests.HTTPError)
        raise DownloadError(
            f"Could not download {url} "
            f"({error if status else type(error).__name__}): check the "
            "network and run again to continue, or download it elsewhere, "
            f"check that its checksum is {known_hash}, put it at "
            f"{archive} and run again."
        ) from error
    except ValueError as error:
        raise ValueError(
            f"What was downloaded from {url} is not the published archive "
            f"and was deleted; run again to download it anew. {error}"
        ) from error
    unpack(archive, destination, top_level)
    if not was_there:
        archive.unlink()
