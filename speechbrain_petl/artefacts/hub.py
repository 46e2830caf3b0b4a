"""Artefacts to and from the Hugging Face hub."""

from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi
from speechbrain_petl.artefacts.format import CARD, FILES, LARGEST, METADATA
from speechbrain_petl.artefacts.model_card import model_card
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.utils.files import replacing, replacing_folder
from speechbrain_petl.utils.messages import first_line, printable
from speechbrain_petl.utils.regular_files import read_regular


def pull(repo: str, folder: str | Path, revision: str | None = None) -> str:
    """Copies an artefact from the hub into a folder, whole or not at all.

    Arguments
    ---------
    repo : str
        Its id, ``owner/name``.
    folder : str or Path
        Where to; absent, empty, or an artefact, which is replaced.
    revision : str, optional
        Branch, tag or commit; a commit is always the same artefact.

    Returns
    -------
    str
        The commit.

    Raises
    ------
    ValueError
        If it cannot be fetched, is no whole artefact, or the folder holds
        something else.
    """
    artefact = Artefact.open(repo, revision)
    with replacing_folder(folder, METADATA, FILES) as new:
        for name, path in artefact.files.items():
            content = read_regular(path, LARGEST[name], artefact.links)
            (new / name).write_bytes(content)
        Artefact.open(new)
    return artefact.files[METADATA].parent.name


def push(
    folder: str | Path,
    repo: str,
    revision: str | None = None,
    private: bool = False,
    license: str | None = None,
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
    license : str, optional
        A license identifier of the hub, such as ``cc-by-4.0``; writes the
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
    artefact = Artefact.open(folder)
    metadata, card = artefact.metadata, artefact.files[CARD]
    if license:
        with replacing(card) as new:
            new.write_text(model_card(metadata, license), "utf-8")
    api = HfApi(library_name="speechbrain-petl")
    try:
        api.create_repo(repo, private=private, exist_ok=True)
        if revision:
            api.create_branch(repo, branch=revision, exist_ok=True)
        done = api.create_commit(
            repo,
            [
                CommitOperationAdd(
                    name, read_regular(path, LARGEST[name], artefact.links)
                )
                for name, path in artefact.files.items()
            ],
            revision=revision,
            commit_message=f"{printable(metadata['method'])}, "
            "with speechbrain-petl",
        )
    except (OSError, ValueError) as error:
        raise ValueError(
            f"The artefact was not pushed to '{repo}': log in with a token "
            f"that may write there. ({printable(first_line(error))})"
        ) from error
    return done.oid
