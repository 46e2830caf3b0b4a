"""How every recipe begins: command line, hyperparameters, output folder."""

import atexit
import json
import logging
import os
import shutil
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import torch
from hyperpyyaml import load_hyperpyyaml, resolve_references
from speechbrain_petl.dataio.identity import data_of
from speechbrain_petl.lobes.fingerprint import fingerprint
from speechbrain_petl.training.command_line import (
    DEFAULTS,
    divide,
    one_interval,
    read_arguments,
)
from speechbrain_petl.training.doubts import doubts
from speechbrain_petl.training.folder_name import name_apart
from speechbrain_petl.training.help_text import help_text
from speechbrain_petl.training.inputs import (
    check_data_folder,
    check_device,
    read_text,
)
from speechbrain_petl.training.parallel import leave_group, n_processes
from speechbrain_petl.training.precision import settle_precision
from speechbrain_petl.training.quiet import quiet_libraries
from speechbrain_petl.training.run_folder import RunFolder
from speechbrain_petl.utils.errors import tell_errors
from speechbrain_petl.utils.files import write_file
from speechbrain_petl.utils.plain_yaml import plain_values
from speechbrain_petl.utils.settings import NEUTRAL, settings_of

import speechbrain as sb
from speechbrain.utils.distributed import (
    ddp_init_group,
    if_main_process,
    infer_device,
    run_on_main,
)
from speechbrain.utils.run_opts import RunOptions

logger = logging.getLogger(__name__)


def start(arguments: list[str]) -> tuple[dict, RunOptions]:
    """Reads the command line, loads the YAML and takes the output folder.

    The output folder receives the YAML with its references resolved, the
    recipe's ``train.py``, ``env.log`` and ``log.txt``; it is refused, and left
    as it is, if it holds a run of other settings (see ``RunFolder``). Under
    ``torchrun`` the processes find each other here. From here on, an uncaught
    error is printed as one line; its traceback goes to ``log.txt``, and to the
    terminal with ``--debug``.

    Arguments
    ---------
    arguments : list of str
        The command line without the script: a YAML file, then options of
        SpeechBrain and overrides of keys of the YAML.

    Returns
    -------
    hparams : dict
        What the YAML says, objects made. Options that change what the run
        computes are among it, whether the YAML has them or not.
    run_opts : RunOptions
        SpeechBrain's other options, for the ``Brain``.

    Raises
    ------
    ValueError
        If there is no such YAML, an override is unknown, given twice or of
        the wrong kind, or the output folder is another run's.
    """
    # A log that cannot be written, on a full disk, is no error of its own.
    logging.raiseExceptions = False
    quiet_libraries()
    told = tell_errors("--debug" in arguments)
    sys.excepthook = told
    if {"-h", "--help"} & set(arguments):
        print(help_text(arguments), end="")
        sys.exit(0)
    file, given = read_arguments(arguments)
    text = read_text(file)
    overrides, options = divide(given, text, file)
    overwrite = options.pop("overwrite", False)
    one_interval(overrides, options, text)
    check_data_folder(plain_values(text, overrides))
    run_opts = RunOptions.from_dictionary({**options, "param_file": file})
    ddp_init_group(run_opts)
    if torch.distributed.is_initialized():
        atexit.register(leave_group)
    device = check_device(run_opts.device or infer_device())
    shaping = {
        key: value
        for key, value in options.items()
        if key not in NEUTRAL and value != DEFAULTS[key]
    }
    overrides = name_apart(text, overrides, shaping, n_processes())
    overrides |= settle_precision(plain_values(text, overrides), device)
    if shaping:
        lines = [f"{k}: {json.dumps(v)}\n" for k, v in shaping.items()]
        text += f"\n# Options of SpeechBrain\n{''.join(lines)}"
    changes = "\n".join(f"{key}: {value}" for key, value in overrides.items())
    hparams = load_hyperpyyaml(text, changes)
    hparams["run_folder"] = RunFolder(hparams, sys.argv[0])
    on_main(
        lambda: take_folder(hparams, settings_of(text, overrides), overwrite)
    )
    try:
        sb.create_experiment_directory(hparams["output_folder"])
    finally:
        sys.excepthook = told  # not the one that SpeechBrain puts there
    run_on_main(
        keep_sources, args=[hparams["output_folder"], file, text, changes]
    )
    return hparams, run_opts


def check_data(hparams: dict) -> None:
    """Refuses to go on with a run on other data than it was begun with.

    To be called after the data preparation. Compared are the manifests and
    the content of every file that they name. Warns of what is odd about them
    (see ``doubts``).

    Arguments
    ---------
    hparams : dict
        As from ``start``.

    Raises
    ------
    ValueError
        If the data differ. The folder is left as it was.
    """

    def settle() -> None:
        """Compares, and then tells what is odd about the data."""
        hparams["run_folder"].settle(data_of(hparams))
        for doubt in doubts(hparams):
            logger.warning(doubt)

    on_main(settle)


def on_main(work: Callable[[], None]) -> None:
    """Calls a function on the main process; if that fails, all processes end.

    The main one raises the error, and the others say nothing: with
    ``run_on_main`` they would wait for it until they are killed.

    Arguments
    ---------
    work : callable
        What to do once for all processes.
    """
    failure = [None]
    if if_main_process():
        try:
            work()
        except Exception as error:
            failure = [error]
    failed = [failure[0] is not None]
    if torch.distributed.is_initialized():
        torch.distributed.broadcast_object_list(failed)
    if failure[0] is not None:
        raise failure[0]
    if failed[0]:
        sys.exit(1)


def take_folder(hparams: dict, settings: dict, overwrite: bool) -> None:
    """Takes the output folder for this run; called on the main process.

    Arguments
    ---------
    hparams : dict
        The hyperparameters, with the folder and the backbone.
    settings : dict
        As from ``settings_of``.
    overwrite : bool
        If True, removes the run that the folder holds.
    """
    identity = {
        **settings,
        "the number of processes": n_processes(),
        "the backbone's fingerprint": {
            "sha256": fingerprint(hparams["backbone"])
        },
    }
    hparams["run_folder"].open({"settings": identity}, overwrite)


def keep_sources(
    output_folder: str, file: str, text: str, overrides: str
) -> None:
    """Writes ``hyperparams.yaml`` and copies the recipe's script.

    Arguments
    ---------
    output_folder : str
        The run's.
    file : str
        Where the YAML comes from.
    text : str
        The YAML.
    overrides : str
        YAML of what is overridden in it.
    """
    folder = Path(output_folder)
    resolved = resolve_references(text, overrides).getvalue()
    write_file(
        str(folder / "hyperparams.yaml"),
        f"# Generated {date.today()} from:\n# {os.path.abspath(file)}\n"
        f"# yamllint disable\n{resolved}",
    )
    # SpeechBrain copies the file that calls it, which is this one.
    (folder / Path(__file__).name).unlink(missing_ok=True)
    copy = folder / Path(sys.argv[0]).name
    if not (copy.exists() and copy.samefile(sys.argv[0])):
        shutil.copy(sys.argv[0], copy)
