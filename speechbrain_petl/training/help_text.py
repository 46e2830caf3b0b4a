"""``python train.py hparams/x.yaml --help``: the keys of the YAML, explained."""

import re
from pathlib import Path

from speechbrain.utils.run_opts import HELP_TEXTS

USAGE = """usage: python train.py hparams/<variant>.yaml --key value ...

Any key of the YAML may be overridden, as may SpeechBrain's options. Give a
YAML before --help to see its keys.
"""
KEY = re.compile(r"(?P<key>[a-z]\w*): *(?P<value>[^#]*?) *(?:# *(?P<says>.*))?")
PLACEHOLDER = "!PLACEHOLDER"


def help_text(arguments: list[str]) -> str:
    """Returns the help of a recipe's command line.

    Arguments
    ---------
    arguments : list of str
        The command line without the script, perhaps with a YAML file.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such YAML file.
    """
    text = USAGE
    for word in arguments:
        if word.startswith("-"):
            continue
        if not Path(word).is_file():
            raise ValueError(f"There is no YAML file {word}.")
        text += f"\nkeys of {word}, with their values there:\n"
        text += "".join(
            _line(key, value, says) for key, value, says in list_keys(word)
        )
        break
    text += "\noptions of SpeechBrain:\n"
    for key, says in HELP_TEXTS.items():
        text += _line(key, "", " ".join(says.split()))
    return text + _line("overwrite", "", "Remove the run of output_folder.")


def list_keys(file: str) -> list[tuple[str, str, str]]:
    """Returns key, value and comment of each plain key of a YAML.

    Keys that are objects are left out, since nobody overrides them by hand,
    as are those of the recipe's own that begin with ``__``.

    Arguments
    ---------
    file : str
        YAML file.

    Returns
    -------
    list of (str, str, str)

    Example
    -------
    >>> file = getfixture("tmp_path") / "a.yaml"
    >>> _ = file.write_text("lr: 0.1  # of Adam\\nnet: !new:torch.nn.ReLU\\n")
    >>> list_keys(str(file))
    [('lr', '0.1', 'of Adam')]
    """
    found = []
    for line in Path(file).read_text(encoding="utf-8").splitlines():
        match = KEY.fullmatch(line)
        if match is None or not match["value"]:
            continue
        value = match["value"]
        if value.startswith("!ref "):
            value = value.removeprefix("!ref ")
        elif value == PLACEHOLDER:
            value = "(required)"
        elif value.startswith(("!", "&", "*")):
            continue
        found.append((match["key"], value, match["says"] or ""))
    return found


def _line(key: str, value: str, says: str) -> str:
    """Formats one option."""
    left = f"  --{key} {value}".rstrip()
    return f"{left:<40}  {says}".rstrip() + "\n"
