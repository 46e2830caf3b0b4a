"""python -m benchmarks: measures, and writes CSV files and RESULTS.md.

Each subject is a module with ``groups(options)``, which says what is compared
with what; ``measure`` runs it and ``report`` writes it down.
"""

import argparse
import importlib
import os
import sys
import tempfile
import time
from functools import cached_property
from pathlib import Path

from benchmarks import report
from benchmarks.measure import compare
from benchmarks.models import SMALL, make_backbone, write_clips
from benchmarks.worker import CLOCKS

SUBJECTS = (
    "training_step",
    "peers_step",
    "wav2vec2_step",
    "front_end",
    "stored_states",
    "many_tasks",
    "time_to_accuracy",
    "serving",
    "int8",
    "onnx_bank",
    "predict_throughput",
    "growth",
    "verification_metrics",
    "transformation",
    "memory",
    "parallel",
    "start_up",
)


class Options(argparse.Namespace):
    """The command line, and what the subjects share, built on demand."""

    @property
    def sizes(self) -> dict:
        """Returns the sizes of the backbone that differ from AST-base."""
        return SMALL if self.smoke else {}

    @cached_property
    def backbone(self) -> str:
        """Returns the folder of a backbone of the size of AST-base."""
        return make_backbone(self.folder / "ast", **self.sizes)

    def small_backbone(self, layers: int) -> str:
        """Returns the folder of a backbone with a number of layers."""
        sizes = {"num_hidden_layers": layers, **self.sizes}
        return make_backbone(self.folder / f"ast_{layers}", **sizes)

    @cached_property
    def corpus(self) -> str:
        """Returns a folder with clips in the layout of ESC-50."""
        return self.corpus_of(self.clips)

    def corpus_of(self, clips: int) -> str:
        """Returns such a folder of a number of clips."""
        folder = self.folder / f"corpus_{clips}"
        write_clips(folder / "ESC-50", clips, self.frames / 100)
        return str(folder)


def parse(arguments: list[str] | None = None) -> Options:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.split("\n")[0]
    )
    parser.add_argument("subjects", nargs="*", help=f"of {', '.join(SUBJECTS)}")
    parser.add_argument(
        "--only", default="", help="print groups with this in their name"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--clock",
        choices=list(CLOCKS),
        default="wall",
        help="what seconds are; processor time on a shared machine",
    )
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--batches", type=int, nargs="+", default=[4, 1, 8])
    parser.add_argument("--frames", type=int, default=500)
    parser.add_argument("--clips", type=int, default=64)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--reference", help="checkout of PETL_AST")
    parser.add_argument("--reference_python", default=sys.executable)
    parser.add_argument("--esc10", help="folder of ESC-10, as ESC-50's")
    parser.add_argument("--esc10_source", help="backbone for ESC-10")
    parser.add_argument(
        "--folds",
        type=int,
        nargs="+",
        default=[1, 2, 3, 4, 5],
        help="its folds",
    )
    parser.add_argument(
        "--epochs", type=int, default=50, help="of the reference's recipe there"
    )
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    parser.add_argument(
        "--smoke", action="store_true", help="a tiny backbone, few clips"
    )
    options = parser.parse_args(arguments, Options())
    options.subjects = options.subjects or list(SUBJECTS)
    unknown = set(options.subjects) - set(SUBJECTS)
    if unknown:
        parser.error(f"there is no subject {', '.join(sorted(unknown))}")
    if options.smoke:
        options.rounds, options.clips = 2, 4
        options.batch, options.frames, options.batches = 2, 100, [2, 1]
    for name in ("reference", "esc10", "esc10_source"):
        if getattr(options, name):
            setattr(options, name, os.path.abspath(getattr(options, name)))
    if bool(options.esc10) != bool(options.esc10_source):
        parser.error("--esc10 and --esc10_source go together")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Measures the subjects, group by group."""
    options = parse(arguments)
    for subject in options.subjects:
        module = importlib.import_module(f"benchmarks.{subject}")
        rows = []
        started = time.time()
        with tempfile.TemporaryDirectory() as folder:
            options.folder = Path(folder)
            for name in ("backbone", "corpus"):
                vars(options).pop(name, None)
            for group, contenders in module.groups(options).items():
                if options.only in group:
                    found = compare(
                        group,
                        contenders,
                        options.rounds,
                        options.threads,
                        options.clock,
                    )
                    report.derive(found)
                    print(report.as_text(found), flush=True)
                    rows += found
        print(f"{subject}: {time.time() - started:.0f} s", flush=True)
        if rows and not options.only:
            report.write_subject(options, subject, rows)
    report.write_page(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
