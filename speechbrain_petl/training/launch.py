"""How every recipe begins: command line, hyperparameters, output folder."""

import atexit
import logging
import re
import shutil
import sys
from collections import Counter
from difflib import get_close_matches
from pathlib import Path

import torch
import yaml
from hyperpyyaml import load_hyperpyyaml
from speechbrain_petl.utils.errors import tell_errors

import speechbrain as sb
from speechbrain.utils.distributed import ddp_init_group, run_on_main
from speechbrain.utils.run_opts import RunOptions


def start(arguments: list[str]) -> tuple[dict, RunOptions]:
    """Reads the command line, loads the YAML and makes the output folder.

    The output folder receives the YAML with its references resolved, the
    recipe's ``train.py``, ``env.log`` and ``log.txt``. Under ``torchrun`` the
    processes find each other here. An error that nobody handles is told in a
    sentence from here on; its traceback goes to ``log.txt``, and to the
    terminal with ``--debug``.

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

    Raises
    ------
    ValueError
        If there is no such YAML, or an override is unknown, given twice or of
        the wrong kind.
    """
    # A log that cannot be written, on a full disk, is no error of its own.
    logging.raiseExceptions = False
    told = tell_errors("--debug" in arguments)
    sys.excepthook = told
    hparams_file, run_opts, overrides = sb.parse_arguments(arguments)
    if not Path(hparams_file).is_file():
        raise ValueError(
            f"There is no YAML file {hparams_file}: give one of the recipe's "
            "hparams folder."
        )
    text = Path(hparams_file).read_text(encoding="utf-8")
    check_overrides(text, overrides, hparams_file)
    ddp_init_group(run_opts)
    if torch.distributed.is_initialized():
        # Its threads would end the process by SIGABRT, now and then.
        atexit.register(torch.distributed.destroy_process_group)
    hparams = load_hyperpyyaml(text, overrides)
    try:
        sb.create_experiment_directory(
            experiment_directory=hparams["output_folder"],
            hyperparams_to_save=hparams_file,
            overrides=overrides,
        )
    finally:
        sys.excepthook = told  # not the one that SpeechBrain puts there
    run_on_main(keep_script, args=[sys.argv[0], hparams["output_folder"]])
    return hparams, run_opts


def check_overrides(text: str, overrides: str, file: str) -> None:
    """Refuses overrides that the YAML does not have or cannot take.

    Arguments
    ---------
    text : str
        The YAML.
    overrides : str
        YAML of the overrides, as ``sb.parse_arguments`` gives it.
    file : str
        Name of the YAML, for messages.

    Raises
    ------
    ValueError
        If one is unknown (the nearest name is told), given twice, of another
        kind than the value it overrides, or negative where that is not.

    Example
    -------
    >>> check_overrides("lr: 0.1", "lr: 0.2", "a.yaml")
    >>> check_overrides("lr: 0.1", "rl: 0.2", "a.yaml")
    Traceback (most recent call last):
    ...
    ValueError: There is no option --rl of a.yaml; did you mean --lr?
    """
    known = re.findall(r"^(\w+):", text, re.M)
    given = re.findall(r"^([^\s:]+):", overrides, re.M)
    for key, times in Counter(given).items():
        if key not in known:
            options = [*known, *RunOptions().keys()]
            near = get_close_matches(key, options, n=1, cutoff=0.5)
            hint = f"did you mean --{near[0]}?" if near else "see its keys."
            raise ValueError(f"There is no option --{key} of {file}; {hint}")
        if times > 1:
            raise ValueError(f"--{key} is given {times} times: give it once.")
    defaults = yaml.load(text, _Plain)
    for key, value in (yaml.load(overrides, _Plain) or {}).items():
        _check_kind(key, defaults[key], value)


def _check_kind(key, default, value):
    """Compares an override with the value it is for."""
    if default is None or value is None or isinstance(value, (list, dict)):
        return
    if isinstance(default, bool) or isinstance(default, str):
        wanted = {bool: "True or False", str: "a text"}[type(default)]
        fits = isinstance(value, type(default)) or isinstance(default, str)
    else:
        whole = isinstance(default, int)
        wanted = "a whole number" if whole else "a number"
        kinds = (int,) if whole else (int, float)
        fits = isinstance(value, kinds) and not isinstance(value, bool)
        if fits and value < 0 <= default:
            wanted, fits = f"{wanted} that is not negative", False
    if not fits:
        raise ValueError(
            f"--{key} is {wanted}, such as {default}, and not {value!r}."
        )


class _Plain(yaml.SafeLoader):
    """Reads plain values as hyperpyyaml does; what has a tag is None."""


_Plain.add_multi_constructor("!", lambda *_: None)
# YAML 1.1 takes 1e-3 for a text; 1.2, which hyperpyyaml reads, for a number.
_Plain.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+0123456789."),
)


def keep_script(script: str, output_folder: str) -> None:
    """Copies the recipe's script into the output folder.

    SpeechBrain copies the file that calls it, which is this one.
    """
    (Path(output_folder) / Path(__file__).name).unlink(missing_ok=True)
    shutil.copy(script, output_folder)
