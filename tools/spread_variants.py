#!/usr/bin/env python3
"""Writes every corpus's YAMLs from the variants of ESC-50.

A variant is what its YAML in ``recipes/ESC50/hparams`` says of the method;
a corpus is what its own ``adapter_hou_par.yaml`` says of all the rest. Each
YAML has a row in ``tests/recipes``, as SpeechBrain's recipe tests want it.
After a change of either:

> python tools/spread_variants.py
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ROOT / "recipes"
SOURCE = "ESC50"
BASE = "adapter_hou_par"

# What a YAML says of its method: what precedes it, and the text itself
PARTS = (
    r"(\A# #+\n# [^:\n]+: )([^\n]+\n# [^\n]+)",
    r"(\n# python train.py hparams/)(\w+)",
    r"(\nexperiment_name: )(\w+)",
    r"(\npooling: )([^\n]+)",
    r"(\nlr: )([^\n]+)",
    r"(\nclassifier: )([^\n]+)",
    r"(\n\n)((?:# Method\n.*?\n\n)?)(?=ast: )",
    r"(\nencoder: )(.*?)(?=\ncompute_features: )",
    r"(\nmodules:\n)(.*?)(?=\nopt_class: )",
)

# Where a paper sets a method otherwise on a corpus
EXCEPTIONS = {
    "GoogleSpeechCommands/ipet": {
        "adapters of width 32": "adapters of width 128",
        "\nlr: 0.001\n": "\nlr: 0.005\n",
        "\nreduction_rate: 24\n": "\nreduction_rate: 6\n",
    }
}

# SpeechBrain's names of what the corpora are for
TASKS = {
    "ESC50": "SoundClassification",
    "UrbanSound8k": "SoundClassification",
    "GoogleSpeechCommands": "Command_recognition",
    "FluentSpeechCommands": "SLU",
}
HEADER = (
    "Task,Dataset,Script_file,Hparam_file,Data_prep_file,Readme_file,"
    "Result_url,HF_repo,test_debug_flags,test_debug_checks,performance\n"
)
FLAGS = (
    "--ast_source=tests/samples/petl/ast-mini --max_length=48 "
    "--batch_size=4 --num_workers=0"
)
CHECKS = (
    "file_exists=[train.py,train_log.txt,log.txt,env.log,hyperparams.yaml,"
    "results.json,predictions.csv,manifest/label_encoder.txt,"
    "artefact/petl.safetensors]"
)


def row(corpus: str, variant: str) -> str:
    """The line of a YAML in SpeechBrain's table of recipes."""
    folder = f"recipes/{corpus}"
    (preparation,) = (RECIPES / corpus).glob("*_prepare.py")
    return (
        f"{TASKS[corpus]},{corpus},{folder}/train.py,"
        f"{folder}/hparams/{variant}.yaml,{folder}/{preparation.name},"
        f"{folder}/README.md,,,"
        f"--data_folder=tests/samples/petl/{corpus} {FLAGS},"
        f'"{CHECKS}",\n'
    )


def combine(corpus: str, variant: str) -> str:
    """The text of a YAML.

    Arguments
    ---------
    corpus : str
        Folder in ``recipes``.
    variant : str
        Name of a YAML of the source corpus.

    Returns
    -------
    str
    """
    source = (RECIPES / SOURCE / "hparams" / f"{variant}.yaml").read_text()
    text = (RECIPES / corpus / "hparams" / f"{BASE}.yaml").read_text()
    for part in PARTS:
        found = re.search(part, source, re.S)[2]
        text, times = re.subn(
            part, lambda match: match[1] + found, text, flags=re.S
        )
        assert times == 1, f"{corpus}, {variant}: {times} x {part}"
    for old, new in EXCEPTIONS.get(f"{corpus}/{variant}", {}).items():
        assert text.count(old) == 1, f"{corpus}, {variant}: {old}"
        text = text.replace(old, new)
    return text


def files() -> dict[Path, str]:
    """All files that there should be, with their texts."""
    variants = (RECIPES / SOURCE / "hparams").glob("*.yaml")
    names = sorted(path.stem for path in variants)
    texts = {}
    for corpus in TASKS:
        for name in names:
            path = RECIPES / corpus / "hparams" / f"{name}.yaml"
            texts[path] = combine(corpus, name)
        rows = "".join(row(corpus, name) for name in names)
        texts[ROOT / "tests" / "recipes" / f"{corpus}.csv"] = HEADER + rows
    return texts


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text)
