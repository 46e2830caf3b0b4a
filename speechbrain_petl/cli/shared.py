"""What several commands do: devices, artefacts, lines beside progress."""

import logging
import sys
import warnings

import huggingface_hub
import torch
import transformers
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.utils.messages import first_line
from tqdm import tqdm


def quiet() -> None:
    """Silences progress bars and hints of libraries."""
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="torch|peft|transformers|copyreg")
    huggingface_hub.utils.disable_progress_bars()
    # It has a handler of its own: each line would come twice.
    logging.getLogger("huggingface_hub").propagate = False


def device_of(name):
    """Returns the name of a device that tensors can be put on."""
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"There is no device '{name}' here: give cpu, or cuda where there "
            f"is a GPU ({first_line(error)})."
        ) from error
    return name


def fill_bank(bank, tasks):
    """Adds the tasks NAME=ARTEFACT of a command line to a bank."""
    parts = [text.partition("=") for text in tasks]
    for name, equals, source in parts:
        if not (name and equals and source):
            raise ValueError(
                "--task is NAME=ARTEFACT, such as events=esc50/artefact, not "
                f"'{name}{equals}{source}'."
            )
    for name, _, source in parts:
        bank.add(name, source)
    return bank


def load_artefact(options, *tasks):
    """Loads the artefact that the options name, on the CPU.

    It is of one of the tasks, if any are given.
    """
    artefact = Artefact.open(options.artefact, options.revision)
    if tasks:
        artefact.require(*tasks)
    backbone = artefact.backbone(options.backbone, options.fetch or None)
    return artefact.load(backbone)


def say(line, stream=None):
    """Writes a line beside the progress bar."""
    tqdm.write(line, file=stream or sys.stdout)
