"""Writes an artefact anew with other facts; what was trained stays."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechbrain_petl.artefacts.format import (
    CARD,
    FILES,
    METADATA,
    YAML,
    check_metadata,
)
from speechbrain_petl.artefacts.model_card import model_card
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.tasks import decision_line
from speechbrain_petl.utils.files import replacing_folder


def restate(
    source: str | Path, target: str | Path, facts: Mapping[str, Any]
) -> None:
    """Writes a copy of an artefact, whole or not at all.

    Arguments
    ---------
    source : str or Path
        Folder of the artefact.
    target : str or Path
        Folder of the copy: absent, empty, or an artefact, which is replaced.
        It may be the same.
    facts : mapping
        What the copy's ``artefact.json`` says otherwise, by key; its
        ``training`` is added to what there is.

    Raises
    ------
    ValueError
        If the artefact is not whole, or a fact does not fit the format.
    """
    artefact = Artefact.open(source)
    training = {**artefact.metadata["training"], **facts.get("training", {})}
    metadata = {**artefact.metadata, **facts, "training": training}
    check_metadata(metadata, METADATA)
    content = {name: artefact.files[name].read_bytes() for name in FILES}
    text = json.dumps(metadata, indent=2, allow_nan=False)
    lines = [
        decision_line(m.get("decision")) for m in (artefact.metadata, metadata)
    ]
    if lines[0] != lines[1]:
        yaml = content[YAML].decode("utf-8")
        if not lines[0] or yaml.count(lines[0]) != 1:
            raise ValueError(
                f"'{source}' does not say in {YAML} what it decides by as "
                "every artefact does: train it anew."
            )
        content[YAML] = yaml.replace(lines[0], lines[1]).encode("utf-8")
    content[METADATA] = text.encode("utf-8")
    content[CARD] = model_card(metadata).encode("utf-8")
    with replacing_folder(target, METADATA, FILES) as new:
        for name, data in content.items():
            (new / name).write_bytes(data)
