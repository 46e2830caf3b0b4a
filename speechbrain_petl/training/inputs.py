"""What a command line names, looked at before anything is loaded."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from speechbrain_petl.utils.messages import first_line


def read_text(file: str) -> str:
    """Reads the text of a YAML file.

    Raises
    ------
    ValueError
        If there is no such file, or it is no text.
    """
    if not Path(file).is_file():
        raise ValueError(
            f"There is no YAML file {file}: give one of the recipe's "
            "hparams folder."
        )
    try:
        return Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is no text in UTF-8: {error}.") from error


def check_data_folder(values: Mapping[str, Any]) -> None:
    """Refuses a folder of data that is not there, before anything is loaded.

    Arguments
    ---------
    values : mapping
        Plain values of the YAML, overridden.

    Raises
    ------
    ValueError
        If there is none, and the recipe does not download it.
    """
    folder = values.get("data_folder")
    if folder and not values.get("download") and not os.path.exists(folder):
        raise ValueError(
            f"There is no data folder '{folder}': give the corpus's folder by "
            "--data_folder."
        )


def check_device(device: str) -> str:
    """Returns the device if this machine has it.

    Raises
    ------
    ValueError
        If it cannot be used.
    """
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"--device {device} cannot be used here: {first_line(error)}"
        ) from error
    return device
