"""How every recipe begins: command line, hyperparameters, output folder."""

import shutil
import sys
from pathlib import Path

from hyperpyyaml import load_hyperpyyaml

import speechbrain as sb
from speechbrain.utils.distributed import ddp_init_group, run_on_main
from speechbrain.utils.run_opts import RunOptions


def start(arguments: list[str]) -> tuple[dict, RunOptions]:
    """Reads the command line, loads the YAML and makes the output folder.

    The output folder receives the YAML with its references resolved, the
    recipe's ``train.py``, ``env.log`` and ``log.txt``. Under ``torchrun`` the
    processes find each other here.

    Arguments
    ---------
    arguments : list of str
        The command line without the script: a YAML file, then options of
        SpeechBrain and overrides of keys of the YAML.

    Returns
    -------
    hparams : dict
        What the YAML says, objects made.
    run_opts : RunOptions
        SpeechBrain's options, for the ``Brain``.
    """
    hparams_file, run_opts, overrides = sb.parse_arguments(arguments)
    ddp_init_group(run_opts)
    with open(hparams_file, encoding="utf-8") as file:
        hparams = load_hyperpyyaml(file, overrides)
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=hparams_file,
        overrides=overrides,
    )
    run_on_main(keep_script, args=[sys.argv[0], hparams["output_folder"]])
    return hparams, run_opts


def keep_script(script: str, output_folder: str) -> None:
    """Copies the recipe's script into the output folder.

    SpeechBrain copies the file that calls it, which is this one.
    """
    (Path(output_folder) / Path(__file__).name).unlink(missing_ok=True)
    shutil.copy(script, output_folder)
