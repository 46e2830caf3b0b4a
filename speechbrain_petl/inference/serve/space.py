"""A folder ready to be a Space of the Hugging Face hub."""

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import speechbrain_petl
from speechbrain_petl.artefacts.backbones import PACKAGED
from speechbrain_petl.artefacts.format import FILES, LARGEST
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.inference.vote import members_of
from speechbrain_petl.utils.files import PACKAGE, replacing_folder
from speechbrain_petl.utils.messages import markdown, printable
from speechbrain_petl.utils.regular_files import read_regular

MARK = "space.json"
APP, NEEDS, CARD = "app.py", "requirements.txt", "README.md"
LARGE_FILES = ".gitattributes"
# What is copied of a backbone, and most bytes of each
CHECKPOINT = {"config.json": 2**20, "model.safetensors": 2**34}
NAMES = (
    *(MARK, APP, NEEDS, CARD, LARGE_FILES),
    *(f"artefacts/*/{name}" for name in FILES),
    *(f"artefacts/*/*/{name}" for name in FILES),  # of those that vote
    *(f"backbones/*/{name}" for name in CHECKPOINT),
)
GRADIO = "6.31.0"  # tried with; of Spaces where none is installed here

#: The same in each Space: what differs is in ``space.json``.
PROGRAM = '''\
"""Serves the adapters of this folder; made by speechbrain-petl export-space."""

import json
import os
from pathlib import Path

from speechbrain_petl.inference.serve.server import serve

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    space = json.loads((here / "space.json").read_text(encoding="utf-8"))
    os.environ["SPEECHBRAIN_PETL_BACKBONES"] = str(here / "backbones")
    serve(
        {task: here / folder for task, folder in space["tasks"].items()},
        # As a Space says it; elsewhere, the page is for this machine only.
        host=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        port=int(os.environ.get("GRADIO_SERVER_PORT", "7860")),
        fetch=space["fetch"],
    )
'''


def export_space(
    sources: Mapping[str, str],
    folder: str | Path,
    backbone: str | None = None,
    title: str = "What is heard",
    package: str | None = None,
) -> list[str]:
    """Writes a Space, whole or not at all, that runs by ``python app.py``.

    Arguments
    ---------
    sources : mapping of str to str
        Folder or hub id of the artefact of each task.
    folder : str or Path
        Where to; absent, empty, or a Space written before, which is replaced.
    backbone : str, optional
        Folder of a backbone that the artefacts name without its path.
    title : str
        Title of the Space.
    package : str, optional
        Requirement that pip is to install this package by, such as an address
        of a wheel; by default its name with bounds on its version.

    Returns
    -------
    list of str
        Sentences on what the Space still needs.

    Raises
    ------
    ValueError
        If an artefact is not whole, a backbone is not found or is another
        one, or the folder holds something else.
    """
    opened = {task: _open(source) for task, source in sources.items()}
    artefacts = {task: next(iter(one.values())) for task, one in opened.items()}
    everything = [a for one in opened.values() for a in one.values()]
    copied, of_hub = _backbones(everything, backbone)
    facts = {
        "format": PACKAGE,
        "tasks": {task: f"artefacts/{task}" for task in artefacts},
        "fetch": bool(of_hub),
    }
    with replacing_folder(folder, MARK, NAMES) as new:
        for task, members in opened.items():
            for name, artefact in members.items():
                target = new / "artefacts" / task / name
                _copy(artefact.files, LARGEST, target, artefact.links)
                Artefact.open(target)
        for name, where in copied.items():
            files = {file: Path(where) / file for file in CHECKPOINT}
            # The hub's cache, which may be meant, has links.
            _copy(files, CHECKPOINT, new / "backbones" / name, links=True)
        texts = {
            MARK: json.dumps(facts, indent=2) + "\n",
            APP: PROGRAM,
            NEEDS: (package or requirement(speechbrain_petl.__version__))
            + "\n",
            CARD: card(artefacts, title, sorted(of_hub)),
            LARGE_FILES: "*.safetensors filter=lfs diff=lfs merge=lfs -text\n",
        }
        for name, text in texts.items():
            (new / name).write_text(text, encoding="utf-8")
    notes = [
        f"The Space fetches '{printable(name)}' from the hub when it starts."
        for name in sorted(of_hub)
    ]
    if package is None:
        notes.append(
            f"{NEEDS} names {texts[NEEDS].strip()}, which has to be where pip "
            "finds it: otherwise give --package, such as the address of a "
            "wheel."
        )
    return notes


def _open(source):
    """Opens an artefact, or those of a folder that vote, by their names."""
    members = {path.name: Artefact.open(path) for path in members_of(source)}
    return members or {"": Artefact.open(source)}


def _backbones(artefacts, given):
    """Returns folders of backbones to copy, by name, and names of the hub's."""
    copied: dict[str, str] = {}
    of_hub: set[str] = set()
    for artefact in artefacts:
        name = artefact.metadata["backbone"]["source"]
        if "/" in name:
            of_hub.add(name)
            continue
        if given:
            _check_checkpoint(given)
        where = artefact.backbone(given).source  # refuses another one
        if Path(where).resolve().parent == PACKAGED.resolve():
            continue  # which comes with the package
        _check_checkpoint(where)
        copied[name] = where
    if given and not copied:
        raise ValueError(
            f"--backbone {printable(given)} is not needed: the artefacts name "
            "backbones that the Space fetches from the hub, or has."
        )
    return copied, of_hub


def _check_checkpoint(folder):
    """Refuses a folder that lacks a file that a Space needs."""
    missing = [f for f in CHECKPOINT if not (Path(folder) / f).is_file()]
    if missing:
        raise ValueError(
            f"The backbone '{printable(folder)}' has no {missing[0]}: save "
            "it with save_pretrained, and name its folder by --backbone."
        )


def _copy(files, largest, target, links):
    """Copies regular files of bounded size into a new folder."""
    target.mkdir(parents=True)
    for name, path in files.items():
        content = read_regular(path, largest[name], links)
        (target / name).write_bytes(content)


def requirement(release: str) -> str:
    """Returns what pip is asked for: this release, or a later compatible one.

    Example
    -------
    >>> requirement("0.1.2")
    'speechbrain-petl[serve]>=0.1.2,<0.2'
    """
    major, minor = release.split(".")[:2]
    return f"{PACKAGE}[serve]>={release},<{major}.{int(minor) + 1}"


def card(
    artefacts: Mapping[str, Artefact], title: str, models: list[str]
) -> str:
    """Returns ``README.md``: what the hub reads, and what people do.

    Arguments
    ---------
    artefacts : mapping of str to Artefact
        By task.
    title : str
        Title of the Space.
    models : list of str
        Models of the hub that it needs.
    """
    try:
        release = version("gradio")
    except PackageNotFoundError:
        release = GRADIO
    front: dict[str, Any] = {
        "title": printable(title),
        "colorFrom": "blue",
        "colorTo": "gray",
        "sdk": "gradio",
        "sdk_version": release,
        "python_version": "3.11",
        "app_file": APP,
        "pinned": False,
        "models": models,
    }
    # JSON is YAML, and quotes what could be taken for something else.
    rows = [
        f"{key}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in front.items()
    ]
    tasks = [
        f"- **{markdown(task)}**: {markdown(one.task)}, "
        f"{len(one.labels)} labels, trained by "
        f"{markdown(one.metadata['method'])} on "
        f"{markdown(one.metadata['training']['corpus'])}"
        for task, one in artefacts.items()
    ]
    return "\n".join(
        [
            *("---", *rows, "---", "", f"# {markdown(title)}", ""),
            *tasks,
            "",
            "Adapters trained with speechbrain-petl. On a machine of one's own: "
            f"`pip install -r {NEEDS}` and `python {APP}`.",
            "",
        ]
    )
