"""The commands that look at an artefact, or make something else of it."""

import argparse
from collections.abc import Callable

from speechbrain_petl.cli.source_options import (
    ARTEFACT,
    add_backbone,
    add_revision,
    add_source,
)

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


def add_artefacts(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds the commands, given what adds one (see ``options``)."""
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
    add_revision(look)

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
    add_source(check)

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
    add_source(fold)

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
    add_source(out)

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
    add_backbone(banked)

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
    add_revision(up)

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
    add_revision(down)
