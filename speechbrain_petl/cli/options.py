"""The options of the command ``speechbrain-petl``."""

import argparse

import speechbrain_petl
from speechbrain_petl.cli.many_options import add_many
from speechbrain_petl.cli.serve_options import (
    SERVE_EXAMPLES,
    SPACE_EXAMPLES,
    add_serve,
    add_space,
)
from speechbrain_petl.cli.train_options import TRAIN_EXAMPLES, add_train
from speechbrain_petl.experiments.options import add_commands
from speechbrain_petl.utils.arguments import add_computing, add_debug, count
from speechbrain_petl.utils.errors import EXIT_CODES, GOES_ON

WITH_OUTPUT = (
    "stopped; with --output FILE, the same command goes on where it was"
)
LICENSE = (
    "speechbrain-petl is licensed under the Apache License, Version 2.0: "
    "https://www.apache.org/licenses/LICENSE-2.0. Backbones, corpora and "
    "trained artefacts have licenses of their own: see the README of each."
)
ARTEFACT = "folder of an artefact, or its id on the Hugging Face hub"
MERGES = """
The folder is for transformers: pipeline('audio-classification', 'merged').
Its class is the one that transformers has for the backbone's family: of AST,
of wav2vec 2.0, HuBERT, WavLM and their kin, or of Whisper's encoder.

What merges as it comes from a recipe:
  AST              lora_stock.yaml, ssf.yaml, rep_adapter.yaml
  other families   wav2vec2/linear.yaml, wav2vec2/lora.yaml,
                   wav2vec2/full_ft.yaml
On AST, linear, bitfit, full_ft and the other lora merge if trained with
--pooling cls_dist and the head NormedLinear in the YAML. Everything else
(adapters, prompts, prefixes, mixtures, ladders) changes the computation and
does not merge: 'speechbrain-petl export' takes any model.
"""


def make_parser() -> argparse.ArgumentParser:
    """Makes the parser of all commands.

    Returns
    -------
    argparse.ArgumentParser
        Its result has ``home``, a module of ``cli``, ``run``, the name of a
        function there, and ``stopped``, what to say after Ctrl-C.

    Example
    -------
    >>> make_parser().parse_args(["inspect", "artefact"]).run
    'inspect'
    """
    top = argparse.ArgumentParser(
        prog="speechbrain-petl",
        description="Train adapters of audio transformers, and use them.",
        epilog="speechbrain-petl <command> --help shows examples.",
    )
    top.add_argument(
        "--version",
        action="version",
        version=f"%(prog)s {speechbrain_petl.__version__}",
    )
    top.add_argument(
        "--license",
        action="version",
        version=LICENSE,
        help="show the license and exit",
    )
    commands = top.add_subparsers(metavar="<command>", required=True)

    def command(
        name,
        run,
        summary,
        examples,
        epilog="",
        home="commands",
        stopped="stopped",
        debug=True,
    ):
        """Adds a command, which runs a function of a module of ``cli``."""
        lines = "".join(f"  speechbrain-petl {line}\n" for line in examples)
        added = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog=f"examples:\n{lines}{epilog}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(run=run, home=home, stopped=stopped)
        if debug:
            add_debug(added)
        return added

    add_train(
        command(
            "train",
            "train",
            "train an adapter on a folder of your own sounds",
            TRAIN_EXAMPLES,
            EXIT_CODES,
            stopped=GOES_ON,
            home="own_sounds",
        )
    )

    one = command(
        "predict",
        "predict",
        "classify audio files",
        [
            "predict results/esc50/artefact dog.wav",
            "predict owner/esc50-adapter --revision v1 --top 5 *.wav",
            "predict artefact --json *.flac > predictions.jsonl",
            "predict artefact recordings --output found.jsonl --shard 3/8",
            "predict artefact night.flac --timeline labels --hop 1",
        ],
        EXIT_CODES,
        stopped=WITH_OUTPUT,
        home="answers",
    )
    one.add_argument("artefact", help=ARTEFACT)
    _add_files(one)
    _add_source(one)

    many = command(
        "bank",
        "predict_bank",
        "classify audio files by several artefacts of one backbone",
        [
            "bank --task events=esc50/artefact --task words=gsc/artefact a.wav",
            "bank --task a=owner/one --task b=owner/two --json *.wav",
        ],
        EXIT_CODES,
        stopped=WITH_OUTPUT,
        home="answers",
    )
    many.add_argument(
        "--task",
        action="append",
        required=True,
        metavar="NAME=ARTEFACT",
        help="name of a task and its artefact; repeat for each task",
    )
    _add_files(many)
    _add_backbone(many)

    pair = command(
        "verify-speakers",
        "verify_speakers",
        "tell whether audio files are of one speaker",
        [
            "verify-speakers voxceleb/artefact a.wav b.wav",
            "verify-speakers artefact enrolled.wav *.wav --threshold 0.4",
        ],
        EXIT_CODES,
        home="answers",
    )
    pair.add_argument("artefact", help=ARTEFACT)
    pair.add_argument("enrolled", help="audio file of the speaker")
    pair.add_argument(
        "files", nargs="+", help="audio files that are compared with it"
    )
    pair.add_argument(
        "--threshold",
        type=float,
        metavar="SCORE",
        help="score above which it is one speaker (default: the artefact's)",
    )
    pair.add_argument(
        "--json", action="store_true", help="print one JSON object per line"
    )
    add_computing(pair)
    _add_source(pair)

    page = command(
        "serve",
        "serve",
        "serve artefacts as a page with an API, on this machine",
        SERVE_EXAMPLES,
        "\nNeeds the extra serve: in a clone, pip install '.[serve]'; with the\npackage installed, pip install 'speechbrain-petl[serve]' (docs/SERVING.md).\n",
        home="page",
    )
    add_serve(page)
    _add_backbone(page)

    space = command(
        "export-space",
        "write_space",
        "write a folder ready to be a Space of the Hugging Face hub",
        SPACE_EXAMPLES,
        home="page",
    )
    add_space(space)

    look = command(
        "inspect",
        "inspect",
        "show the metadata of an artefact, without loading a model",
        ["inspect artefact", "inspect owner/adapter --json"],
        home="inspection",
    )
    look.add_argument("artefact", help=ARTEFACT)
    look.add_argument(
        "--json", action="store_true", help="print everything as JSON"
    )
    _add_revision(look)

    check = command(
        "verify",
        "verify",
        "load an artefact and check that it computes what was trained",
        [
            "verify artefact",
            "verify artefact --backbone /models/ast-mini",
        ],
    )
    check.add_argument("artefact", help=ARTEFACT)
    _add_source(check)

    fold = command(
        "merge",
        "merge",
        "fold what was trained into a stock classifier of transformers",
        [
            "merge lora_stock/artefact merged",
        ],
        MERGES,
    )
    fold.add_argument("artefact", help=ARTEFACT)
    fold.add_argument(
        "folder", help="output folder; an existing one is replaced"
    )
    _add_source(fold)

    out = command(
        "export",
        "export",
        "write the whole model as one file, or LoRA in PEFT's format",
        [
            "export artefact model.onnx",
            "export artefact model.pt2",
            "export artefact int8.onnx --quantize int8 --data_folder ESC-50 "
            "\\\n    --calibrate manifest/train.json --test manifest/test.json",
            "export lora/artefact folder --format peft",
        ],
        "\nIts inputs are waveforms and relative lengths, its output logits. "
        "PEFT's format is\na folder, and only of the adapter.\n",
    )
    out.add_argument("artefact", help=ARTEFACT)
    out.add_argument(
        "path", help="output file, ending in .onnx or .pt2 (torch.export)"
    )
    out.add_argument(
        "--format",
        choices=["onnx", "pt2", "peft"],
        help="default: by the ending of the path",
    )
    out.add_argument(
        "--quantize",
        choices=["int8"],
        help="round the large products of an .onnx file; what it costs is "
        "written beside it, as PATH.json",
    )
    out.add_argument(
        "--calibrate",
        metavar="MANIFEST",
        help="with --quantize: clips for the ranges, as a run's train.json",
    )
    out.add_argument(
        "--test",
        metavar="MANIFEST",
        help="with --quantize: clips to measure the accuracy on",
    )
    out.add_argument(
        "--data_folder", help="with --quantize: folder of their corpus"
    )
    _add_source(out)

    banked = command(
        "export-bank",
        "write_bank",
        "write artefacts of one method and backbone as a bank in ONNX",
        [
            "export-bank bank --task events=esc50/artefact "
            "--task words=gsc/artefact",
        ],
        "\nThe folder has one model, and a small file for each task, that "
        "onnxruntime takes\nfor a call (docs/SERVING.md).\n",
    )
    banked.add_argument("path", help="folder to write")
    banked.add_argument(
        "--task",
        action="append",
        required=True,
        metavar="NAME=ARTEFACT",
        help="name of a task and its artefact; repeat for each task",
    )
    _add_backbone(banked)

    up = command(
        "push",
        "push",
        "upload an artefact to the Hugging Face hub",
        [
            "push artefact owner/esc50-adapter --license cc-by-4.0",
            "push artefact owner/esc50-adapter --revision v2 --private",
        ],
    )
    up.add_argument("artefact", help="folder of an artefact")
    up.add_argument("repo", help="owner/name; created if it does not exist")
    up.add_argument(
        "--private",
        action="store_true",
        help="create the repository as private",
    )
    up.add_argument(
        "--license",
        metavar="ID",
        help="identifier on the hub of a license for the trained tensors; "
        "rewrites the model card",
    )
    _add_revision(up)

    stats = command(
        "norm-stats",
        "norm_stats",
        "mean and standard deviation of a corpus's features, as overrides",
        [
            "norm-stats results/linear/seed_1234/fold_1/manifest/train.json "
            "\\\n    --data_folder ESC-50 --max_length 500",
        ],
    )
    stats.add_argument("manifest", help="the train.json of a run")
    stats.add_argument(
        "--data_folder", required=True, help="folder of the corpus"
    )
    stats.add_argument(
        "--max_length",
        type=count,
        default=1024,
        metavar="FRAMES",
        help="clip length in frames of 10 ms, as in training (default: 1024)",
    )

    down = command(
        "pull",
        "pull",
        "copy an artefact from the hub into a folder",
        ["pull owner/esc50-adapter esc50 --revision 1a2b3c4"],
    )
    down.add_argument("repo", help="owner/name")
    down.add_argument(
        "folder", help="output folder; an existing one is replaced"
    )
    _add_revision(down)

    copied = command(
        "recipe",
        "recipe",
        "list the recipes, or copy one to work on",
        ["recipe", "recipe ESC50", "recipe ESC50 --output recipes/ESC50"],
        home="recipes",
    )
    copied.add_argument(
        "name", nargs="?", help="name of a recipe; without it, lists them"
    )
    copied.add_argument(
        "--output",
        metavar="DIR",
        help="folder to write, which is not there yet (default: <name>)",
    )

    plans = command(
        "experiments",
        "experiments",
        "run plans of many trainings; their tables, figures and page",
        [
            "experiments run demo",
            "experiments run table1 --data_folder ESC50=/data/ESC-50 --dry_run",
            "experiments table results/demo",
            "experiments run --help",
        ],
        home="others",
        stopped=GOES_ON,
        debug=False,  # each step has it
    )
    add_commands(plans)

    shown = command(
        "demo",
        "demo",
        "train and use adapters in miniature, without any download",
        ["demo", "demo --folder /tmp/demo"],
        home="others",
        stopped=GOES_ON,
    )
    shown.add_argument(
        "--folder",
        default="results/demo",
        help="output folder (default: results/demo)",
    )
    return top


def _add_files(command):
    """Adds the options of commands that classify."""
    command.add_argument(
        "files",
        nargs="+",
        default=[],
        help="audio files (wav, aiff, au, caf, flac, ogg or mp3), and folders "
        "of them",
    )
    add_many(command)
    command.add_argument(
        "--top",
        type=count,
        metavar="N",
        help="number of labels to show (default: the likeliest, or those that "
        "a tagger finds above their thresholds, which may be none)",
    )
    command.add_argument(
        "--json", action="store_true", help="print one JSON object per line"
    )
    add_computing(command)


def _add_source(command):
    """Adds the options of commands that load an artefact."""
    _add_revision(command)
    _add_backbone(command)


def _add_revision(command):
    """Adds the option for a version on the hub."""
    command.add_argument("--revision", help="branch, tag or commit on the hub")


def _add_backbone(command):
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
