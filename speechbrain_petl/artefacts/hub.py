"""Artefacts to and from the Hugging Face hub."""

import hashlib
import shutil
from pathlib import Path

from huggingface_hub import HfApi, snapshot_download
from speechbrain_petl.artefacts.check import check_labels
from speechbrain_petl.artefacts.format import FILES, read_metadata
from speechbrain_petl.artefacts.model_card import model_card
from speechbrain_petl.utils.files import replacing_folder
from speechbrain_petl.utils.messages import first_line


def check_files(folder: str | Path) -> dict:
    """Checks that an artefact's files are there and belong together.

    Needs no backbone, so it cannot say whether the model computes what it
    should; loading does.

    Returns
    -------
    dict
        The metadata.

    Raises
    ------
    ValueError
        If a file is missing or another artefact's.
    """
    folder = Path(folder)
    metadata = read_metadata(folder / "artefact.json")
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise ValueError(
            f"'{folder}' is no whole artefact: there is no {missing[0]}."
        )
    content = (folder / "petl.safetensors").read_bytes()
    if hashlib.sha256(content).hexdigest() != metadata["tensors"]["sha256"]:
        raise ValueError(
            f"'{folder}/petl.safetensors' is not the file that artefact.json "
            "describes: it was damaged or exchanged."
        )
    check_labels(folder / "label_encoder.txt", metadata)
    return metadata


def local_artefact(source: str | Path, revision: str | None = None) -> Path:
    """The folder of an artefact; one on the hub is fetched into its cache.

    Arguments
    ---------
    source : str or Path
        A folder, or an id of the hub such as ``owner/name``.
    revision : str, optional
        Branch, tag or commit on the hub.

    Returns
    -------
    Path
        Where its files are.

    Raises
    ------
    ValueError
        If it is neither a folder nor can be fetched.
    """
    if Path(source).is_dir():
        return Path(source)
    try:
        return Path(
            snapshot_download(
                str(source), revision=revision, allow_patterns=list(FILES)
            )
        )
    except (OSError, ValueError) as error:
        at = f" at revision '{revision}'" if revision else ""
        raise ValueError(
            f"'{source}' is no folder, and cannot be fetched from the hub{at}: "
            "check the name, the network and, if it is private, that you are "
            f"logged in. ({first_line(error)})"
        ) from error


def pull(repo: str, folder: str | Path, revision: str | None = None) -> str:
    """Copies an artefact from the hub into a folder, whole or not at all.

    Arguments
    ---------
    repo : str
        Its id, ``owner/name``.
    folder : str or Path
        Where; what is there is replaced.
    revision : str, optional
        Branch, tag or commit; a commit is always the same artefact.

    Returns
    -------
    str
        The commit.

    Raises
    ------
    ValueError
        If it cannot be fetched or is no whole artefact.
    """
    cached = local_artefact(repo, revision)
    check_files(cached)
    with replacing_folder(folder) as new:
        for name in FILES:
            shutil.copyfile(cached / name, new / name)
    return cached.name


def push(
    folder: str | Path,
    repo: str,
    revision: str | None = None,
    private: bool = False,
    licence: str | None = None,
) -> str:
    """Uploads an artefact to the hub, in one commit.

    Uses the token of ``hf auth login``, or of the variable ``HF_TOKEN``.

    Arguments
    ---------
    folder : str or Path
        The artefact; its files are checked first.
    repo : str
        ``owner/name``; made if it is not there.
    revision : str, optional
        Branch, made if it is not there; ``main`` by default.
    private : bool
        Whether a repository made here is private.
    licence : str, optional
        A licence identifier of the hub, such as ``cc-by-4.0``; writes the
        model card anew. Without it the card goes as it is.

    Returns
    -------
    str
        The commit, for ``revision`` elsewhere.

    Raises
    ------
    ValueError
        If the artefact is not whole, or the hub refuses.
    """
    metadata = check_files(folder)
    folder, api = Path(folder), HfApi(library_name="speechbrain-petl")
    if licence:
        (folder / "README.md").write_text(
            model_card(metadata, licence), "utf-8"
        )
    try:
        api.create_repo(repo, private=private, exist_ok=True)
        if revision:
            api.create_branch(repo, branch=revision, exist_ok=True)
        done = api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            revision=revision,
            allow_patterns=list(FILES),
            commit_message=f"{metadata['method']}, with speechbrain-petl",
        )
    except (OSError, ValueError) as error:
        raise ValueError(
            f"The artefact was not pushed to '{repo}': log in with a token "
            f"that may write there. ({first_line(error)})"
        ) from error
    return done.oid
