"""The commands that answer for audio files: predict, bank, verify-speakers."""

import argparse
from collections.abc import Callable

from speechbrain_petl.cli.many_options import add_many
from speechbrain_petl.cli.source_options import (
    ARTEFACT,
    add_backbone,
    add_source,
)
from speechbrain_petl.utils.arguments import add_computing, count
from speechbrain_petl.utils.errors import EXIT_CODES

WITH_OUTPUT = (
    "stopped; with --output FILE, the same command goes on where it was"
)


def add_answers(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds the commands, given what adds one (see ``options``)."""
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
    add_source(one)

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
    add_backbone(many)

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
    add_source(pair)


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
