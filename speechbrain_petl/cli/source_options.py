"""The options of commands that read an artefact: which, and its backbone."""

import argparse

ARTEFACT = "folder of an artefact, or its id on the Hugging Face hub"


def add_source(command: argparse.ArgumentParser) -> None:
    """Adds the options of commands that load an artefact."""
    add_revision(command)
    add_backbone(command)


def add_revision(command: argparse.ArgumentParser) -> None:
    """Adds the option for a version on the hub."""
    command.add_argument("--revision", help="branch, tag or commit on the hub")


def add_backbone(command: argparse.ArgumentParser) -> None:
    """Adds the option for the backbone."""
    command.add_argument(
        "--backbone",
        help="folder or hub id of the backbone, instead of the recorded one",
    )
    command.add_argument(
        "--fetch",
        action="store_true",
        help="let a backbone that a local artefact names be fetched from the "
        "hub, if it is not on this machine",
    )
