"""Options: every command has examples, and a help text comes at once."""

import re
import subprocess
import sys
from pathlib import Path

from speechbrain_petl.cli.options import make_parser

from tests.lobes.test_invariants import MERGE

HPARAMS = Path(__file__).parents[2] / "recipes" / "ESC50" / "hparams"


def test_every_command_has_examples():
    commands = make_parser()._subparsers._group_actions[0].choices
    assert set(commands) == {
        "train",
        "predict",
        "bank",
        "verify-speakers",
        "serve",
        "export-space",
        "inspect",
        "verify",
        "merge",
        "export",
        "export-bank",
        "push",
        "pull",
        "norm-stats",
        "recipe",
        "experiments",
        "demo",
    }
    for name, command in commands.items():
        assert f"speechbrain-petl {name}" in command.epilog


def test_help_is_quick():
    code = (
        "import sys; from speechbrain_petl.cli.options import make_parser; make_parser();"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_merge_says_what_merges():
    """By what a stock classifier of each family reads: pooling and head."""
    commands = make_parser()._subparsers._group_actions[0].choices
    said = commands["merge"].epilog
    named = set(re.findall(r"([\w/]+)\.yaml", said))
    assert named == {
        yaml.stem
        for yaml in HPARAMS.glob("*.yaml")
        if "\npooling: cls_dist" in yaml.read_text() and yaml.stem in MERGE
    } | {"wav2vec2/linear", "wav2vec2/lora", "wav2vec2/full_ft"}
    for name in named:
        text = (HPARAMS / f"{name}.yaml").read_text()
        pooling, head = (
            ("mean", "torch.nn.Linear")
            if name.startswith("wav2vec2/")
            else ("cls_dist", "speechbrain_petl.lobes.heads.NormedLinear")
        )
        assert f"\npooling: {pooling}" in text, name
        assert f"\nclassifier: !name:{head}\n" in text, name
    for family in ("AST", "wav2vec 2.0", "HuBERT", "WavLM", "Whisper"):
        assert family in said
    assert max(map(len, said.splitlines())) <= 80
