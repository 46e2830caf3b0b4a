"""The commands of pages: serve, export-space."""

import argparse
from collections.abc import Callable

from speechbrain_petl.cli.source_options import add_backbone
from speechbrain_petl.utils.arguments import add_computing

SERVE_EXAMPLES = [
    "serve results/birds/artefact",
    "serve events=esc50/artefact words=gsc/artefact voices=voxceleb/artefact",
    "serve owner/adapter --port 8080 --max_seconds 60",
]
SPACE_EXAMPLES = [
    "export-space results/birds/artefact --output birds-space",
    "export-space events=esc50/artefact words=gsc/artefact --output space "
    "\\\n    --title 'Sounds and words'",
]
NEEDS = """
Needs the extra serve: in a clone, pip install '.[serve]'; with the
package installed, pip install 'speechbrain-petl[serve]' (docs/SERVING.md).
"""
ARTEFACTS = (
    "folder of an artefact, or its id on the Hugging Face hub, with a name "
    "where that of the folder would not do"
)


def add_pages(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds the commands, given what adds one (see ``options``)."""
    page = command(
        "serve",
        "serve",
        "serve artefacts as a page with an API, on this machine",
        SERVE_EXAMPLES,
        NEEDS,
        home="page",
    )
    _add_serve(page)
    add_backbone(page)
    space = command(
        "export-space",
        "write_space",
        "write a folder ready to be a Space of the Hugging Face hub",
        SPACE_EXAMPLES,
        home="page",
    )
    _add_space(space)


def _add_serve(command):
    """Adds the options of ``serve``, but for those of backbones."""
    _add_artefacts(command)
    command.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on; 0.0.0.0 lets others in (default: "
        "127.0.0.1, this machine only)",
    )
    command.add_argument(
        "--port",
        type=int,
        default=7860,
        help="port; 0 takes a free one (default: 7860)",
    )
    command.add_argument(
        "--max_megabytes",
        type=float,
        default=50.0,
        metavar="MB",
        help="largest file that is taken (default: 50)",
    )
    command.add_argument(
        "--max_seconds",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="longest recording that is taken (default: 600)",
    )
    add_computing(command)


def _add_space(command):
    """Adds the options of ``export-space``."""
    _add_artefacts(command)
    command.add_argument(
        "--output",
        required=True,
        metavar="DIR",
        help="folder to write; one that was written before is replaced",
    )
    command.add_argument(
        "--title", default="What is heard", help="title of the Space"
    )
    command.add_argument(
        "--package",
        metavar="REQUIREMENT",
        help="what pip is to install speechbrain-petl from, such as the "
        "address of a wheel (default: its name and version)",
    )
    command.add_argument(
        "--backbone",
        metavar="DIR",
        help="folder of a backbone that the artefacts name without a path; it "
        "is copied",
    )


def _add_artefacts(command):
    """Adds the artefacts."""
    command.add_argument(
        "artefacts", nargs="+", metavar="[NAME=]ARTEFACT", help=ARTEFACTS
    )
