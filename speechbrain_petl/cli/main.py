"""``speechbrain-petl``: trained adapters from the command line."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from speechbrain_petl.utils.messages import printable

USAGE, SOME_FAILED, FINE = 2, 1, 0
ARTEFACT = "an artefact's folder, or its id on the Hugging Face hub"
EXIT = """
exit codes:
  0  all went well
  1  some audio files could not be classified; the others were
  2  nothing was done: the message says why
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line; gives the exit code.

    Arguments
    ---------
    arguments : sequence of str, optional
        Those of the process by default.

    Returns
    -------
    int
        0 if all went well, 1 if some files failed, 2 if nothing was done.
    """
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    # Only now, since it takes seconds, which a help text should not.
    from speechbrain_petl.cli import commands

    commands.quiet()
    try:
        return getattr(commands, options.run)(options)
    except ValueError as error:
        print(f"speechbrain-petl: {printable(error)}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:  # such as: speechbrain-petl predict ... | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_FAILED


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="speechbrain-petl",
        description="Uses adapters that were trained with speechbrain-petl, and "
        "what goes with training them.",
        epilog="speechbrain-petl <command> --help shows examples.",
    )
    commands = top.add_subparsers(metavar="<command>", required=True)

    def command(name, run, summary, examples, epilog=""):
        """Adds a command."""
        lines = "".join(f"  speechbrain-petl {line}\n" for line in examples)
        added = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog=f"examples:\n{lines}{epilog}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(run=run)
        return added

    one = command(
        "predict",
        "predict",
        "classify audio files",
        [
            "predict results/esc50/artefact dog.wav",
            "predict owner/esc50-adapter --revision v1 --top 5 *.wav",
            "predict artefact --json *.flac > predictions.jsonl",
        ],
        EXIT,
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
        EXIT,
    )
    many.add_argument(
        "--task",
        action="append",
        required=True,
        metavar="NAME=ARTEFACT",
        help="a name for the task, and its artefact; once for each task",
    )
    _add_files(many)
    _add_backbone(many)

    look = command(
        "inspect",
        "inspect",
        "show what is known about an artefact; loads no model",
        ["inspect artefact", "inspect owner/adapter --json"],
    )
    look.add_argument("artefact", help=ARTEFACT)
    look.add_argument("--json", action="store_true", help="all of it, as JSON")
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
        "fold an adapter into a stock Hugging Face AST",
        [
            "merge lora/artefact merged",
        ],
        "\nThe folder is for transformers: pipeline('audio-classification', "
        "'merged').\n",
    )
    fold.add_argument("artefact", help=ARTEFACT)
    fold.add_argument(
        "folder",
        help="where to write: absent, empty, or what this wrote before",
    )
    _add_source(fold)

    out = command(
        "export",
        "export",
        "write the whole model as one file, or LoRA in PEFT's format",
        [
            "export artefact model.onnx",
            "export artefact model.pt2",
            "export lora/artefact folder --format peft",
        ],
        "\nIts inputs are waveforms and relative lengths, its output logits. "
        "PEFT's format is\na folder, and only of the adapter.\n",
    )
    out.add_argument("artefact", help=ARTEFACT)
    out.add_argument("path", help="ending in .onnx, or .pt2 for torch.export")
    out.add_argument("--format", choices=["onnx", "pt2", "peft"])
    _add_source(out)

    up = command(
        "push",
        "push",
        "upload an artefact to the Hugging Face hub",
        [
            "push artefact owner/esc50-adapter --licence cc-by-4.0",
            "push artefact owner/esc50-adapter --revision v2 --private",
        ],
    )
    up.add_argument("artefact", help="an artefact's folder")
    up.add_argument("repo", help="owner/name; made if it is not there")
    up.add_argument("--private", action="store_true", help="if it is made")
    up.add_argument(
        "--licence",
        metavar="ID",
        help="the hub's identifier of a licence for what was trained; writes "
        "the model card anew",
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
    stats.add_argument("manifest", help="train.json of a run")
    stats.add_argument("--data_folder", required=True, help="the corpus")
    stats.add_argument(
        "--max_length",
        type=int,
        default=1024,
        metavar="FRAMES",
        help="of 10 ms, as in training (default: 1024)",
    )

    down = command(
        "pull",
        "pull",
        "copy an artefact from the hub into a folder",
        ["pull owner/esc50-adapter esc50 --revision 1a2b3c4"],
    )
    down.add_argument("repo", help="owner/name")
    down.add_argument("folder", help="where to: absent, empty, or an artefact")
    _add_revision(down)
    return top


def _add_files(command):
    """What commands that classify share."""
    command.add_argument("files", nargs="+", help="audio files of any kind")
    command.add_argument(
        "--top",
        type=int,
        default=1,
        metavar="N",
        help="how many labels to show (default: 1)",
    )
    command.add_argument(
        "--json", action="store_true", help="one JSON object a line"
    )
    command.add_argument(
        "--device", default="cpu", help="such as cuda:0 (default: cpu)"
    )


def _add_source(command):
    """What commands that load an artefact share."""
    _add_revision(command)
    _add_backbone(command)


def _add_revision(command):
    """Which version on the hub."""
    command.add_argument("--revision", help="branch, tag or commit on the hub")


def _add_backbone(command):
    """Where the backbone is."""
    command.add_argument(
        "--backbone",
        help="folder or hub id of the backbone, if it is not found by itself",
    )
    command.add_argument(
        "--fetch",
        action="store_true",
        help="fetch the backbone that a local artefact names from the hub, if "
        "it is not on this machine",
    )


if __name__ == "__main__":
    sys.exit(main())
