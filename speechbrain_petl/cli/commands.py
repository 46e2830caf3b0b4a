"""The commands of ``speechbrain-petl``, given their options."""

import json
import logging
import os
import sys
import traceback
import warnings

import huggingface_hub
import torch
import transformers
from speechbrain_petl.artefacts.hub import (
    pull as pull_artefact,
    push as push_artefact,
)
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.tasks import LABELLED
from speechbrain_petl.cli.bandwidth import trained_rate, watch
from speechbrain_petl.cli.files import (
    Answers,
    check_files,
    named_files,
    part_of,
)
from speechbrain_petl.cli.jobs import submit
from speechbrain_petl.cli.timeline import write_timeline
from speechbrain_petl.dataio.norm_stats import compute_norm_stats
from speechbrain_petl.inference.answers import as_data
from speechbrain_petl.inference.bank import AdapterBank
from speechbrain_petl.inference.many import classify_files
from speechbrain_petl.inference.serve.sources import named_sources
from speechbrain_petl.inference.speaker import PETLSpeaker
from speechbrain_petl.integrations.onnx import export_onnx, export_program
from speechbrain_petl.integrations.onnx_bank_export import export_bank
from speechbrain_petl.integrations.peft_format import to_peft
from speechbrain_petl.integrations.quantize import export_int8
from speechbrain_petl.integrations.transformers import (
    merge_to_transformers,
    reads_clips_of,
)
from speechbrain_petl.utils.errors import sentence
from speechbrain_petl.utils.messages import first_line, printable
from tqdm import tqdm

EXPORTERS = {"onnx": export_onnx, "pt2": export_program, "peft": to_peft}


def quiet() -> None:
    """Silences progress bars and hints of libraries."""
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="torch|peft|transformers|copyreg")
    huggingface_hub.utils.disable_progress_bars()


def predict(options) -> int:
    """Classifies files by one artefact."""
    check_files(options.files, options.files_from)
    if options.launcher == "submitit":
        return submit(options)
    bank = _bank(options)
    bank.add("", options.artefact, options.revision)
    return _classify(bank, options)


def predict_bank(options) -> int:
    """Classifies files by several artefacts."""
    check_files(options.files, options.files_from)
    if options.launcher == "submitit":
        return submit(options)
    return _classify(_fill(_bank(options), options.task), options)


def _fill(bank, tasks):
    """Adds the tasks NAME=ARTEFACT of a command line to a bank."""
    parts = [text.partition("=") for text in tasks]
    for name, equals, source in parts:
        if not (name and equals and source):
            raise ValueError(
                "--task is NAME=ARTEFACT, such as events=esc50/artefact, not "
                f"'{name}{equals}{source}'."
            )
    for name, _, source in parts:
        bank.add(name, source)
    return bank


def _bank(options):
    """Makes an empty bank with the options of a command."""
    device = _device(options.device)
    return AdapterBank(options.backbone, device, options.fetch or None)


def _device(name):
    """Returns the name of a device that tensors can be put on."""
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"There is no device '{name}' here: give cpu, or cuda where there "
            f"is a GPU ({first_line(error)})."
        ) from error
    return name


def _classify(bank, options):
    """Classifies file after file; a file that fails does not stop the rest."""
    names = named_files(options.files, options.files_from)
    names = part_of(names, options.shard)
    rates = [trained_rate(bank[task].metadata) for task in bank.tasks]
    names = watch(names, max(rates)) if rates else names
    if options.timeline:
        found = _timelines(bank, names, options)
    elif options.output:
        found = _to_file(bank, names, options)
    else:
        found = _print(bank, names, options)
    done, failed = found
    if not done:
        raise ValueError(
            "There is no file to classify: name files, folders, or a list by "
            "--files_from."
        )
    return _count_failed(failed, done)


def _fail(path, error, options):
    """Tells why a file failed, and returns the sentence."""
    if options.debug:
        _say("".join(traceback.format_exception(error)), sys.stderr)
    said = sentence(error)
    if printable(path) not in said:
        said = f"{printable(path)}: {said}"
    _say(f"speechbrain-petl: {said}", sys.stderr)
    if options.json:
        _say(json.dumps({"file": path, "error": said}))
    return said


def _count_failed(failed, done):
    """Tells how many files failed, and returns the exit code."""
    if failed:
        _say(f"{failed} of {done} files failed.", sys.stderr)
    return 1 if failed else 0


def _progress(names, options):
    """Shows how many files are done, where there are many."""
    one = len(options.files) == 1 and not options.files_from
    alone = one and not os.path.isdir(options.files[0])
    return tqdm(names, disable=True if alone else None, unit="file")


def _print(bank, names, options):
    """Prints what is found; returns how many files there were and failed."""
    done = failed = 0
    for path, predictions, error in _progress(
        classify_files(bank, names), options
    ):
        done += 1
        if error is not None:
            failed += 1
            _fail(path, error, options)
        for prediction in predictions:
            _say(_shown(path, prediction, bank[prediction.task], options))
    return done, failed


def _to_file(bank, names, options):
    """Adds what is found to a file that an earlier run may have begun."""
    done = failed = 0
    with Answers(options.output, options.shard) as answers:
        for path, predictions, error in _progress(
            classify_files(bank, answers.to_do(names)), options
        ):
            done += 1
            if error is not None:
                failed += 1
                said = _fail(path, error, options)
                answers.write({"file": path, "error": said})
            for prediction in predictions:
                trained = bank[prediction.task]
                answers.write(_answer(path, prediction, trained, options))
    if answers.skipped:
        had = f"{answers.skipped} files had their answers already."
        _say(had, sys.stderr)
    return done + answers.skipped, failed


def _timelines(bank, names, options):
    """Writes label files of each recording."""
    done = failed = 0
    for path in _progress(names, options):
        done += 1
        try:
            spans = write_timeline(bank, path, options)
        except Exception as error:  # whatever it is, the next may be fine
            failed += 1
            _fail(path, error, options)
            continue
        for one in spans:
            cells = [path, f"{one.start:.2f}", f"{one.end:.2f}", one.label]
            _say("\t".join(map(printable, [*cells, f"{one.probability:.3f}"])))
    return done, failed


def _shown(path, prediction, trained, options):
    """Formats the prediction of one task as a line of text or JSON."""
    answer = _answer(path, prediction, trained, options)
    if options.json:
        return json.dumps(answer)
    guesses = [
        f"{one['label']} {one['probability']:.3f}"
        for one in answer["predictions"]
    ]
    if answer.get("unknown"):
        guesses = ["unknown", *guesses]
    task = prediction.task
    cells = [path, *([task] if task else []), *guesses]
    return "\t".join(map(printable, cells))


def _answer(path, prediction, trained, options):
    """Returns the prediction of one task as data for JSON."""
    return {"file": path, **as_data(prediction, trained, options.top)}


def _say(line, stream=None):
    """Writes a line beside the progress bar."""
    tqdm.write(line, file=stream or sys.stdout)


def verify_speakers(options) -> int:
    """Compares the speaker of one file with those of others."""
    check_files([options.enrolled])
    check_files(options.files)
    speaker = PETLSpeaker.from_artefact(
        options.artefact,
        options.revision,
        options.backbone,
        _device(options.device),
        options.fetch or None,
    )
    failed = 0
    for path in options.files:
        try:
            found = speaker.verify_files(
                options.enrolled, path, options.threshold
            )
        except Exception as error:  # whatever it is, the next may be fine
            failed += 1
            _fail(path, error, options)
            continue
        score, same = (one.item() for one in found)
        if options.json:
            shown = {"file": path, "score": round(score, 6), "same": same}
            _say(json.dumps(shown))
        else:
            said = "same speaker" if same else "other speaker"
            _say(f"{printable(path)}\t{said}\t{score:.4f}")
    return _count_failed(failed, len(options.files))


def serve(options) -> int:
    """Serves artefacts as a page with an API."""
    from speechbrain_petl.inference.serve.limits import Limits
    from speechbrain_petl.inference.serve.server import serve as serve_page

    serve_page(
        named_sources(options.artefacts),
        options.host,
        options.port,
        Limits(options.max_megabytes, options.max_seconds),
        say=lambda line: print(line, flush=True),
        backbone=options.backbone,
        device=_device(options.device),
        fetch=options.fetch or None,
    )
    return 0


def write_space(options) -> int:
    """Writes a folder ready to be a Space."""
    from speechbrain_petl.inference.serve.space import export_space

    sources = named_sources(options.artefacts)
    for note in export_space(
        sources,
        options.output,
        options.backbone,
        options.title,
        options.package,
    ):
        print(note)
    print(
        f"'{options.output}' is ready: python {options.output}/app.py, or "
        f"hf upload owner/name {options.output} . --repo-type space"
    )
    return 0


def train(options) -> int:
    """Trains an adapter on a folder of sounds."""
    from speechbrain_petl.adapt.request import Request
    from speechbrain_petl.adapt.session import train_folder

    for handler in logging.getLogger().handlers:
        # SpeechBrain's loggers, which set their levels themselves, would tell
        # the seed of each model that is made.
        handler.addFilter(
            lambda record: not record.name.startswith("speechbrain.")
            or record.levelno >= logging.ERROR
        )
    name = os.path.basename(os.path.abspath(options.folder))
    final = train_folder(
        Request(
            data_folder=options.folder,
            output=options.output or os.path.join("results", name),
            metadata=options.metadata,
            group_by=options.group_by,
            source=options.source,
            artefact=options.artefact,
            method=options.method,
            minutes=options.minutes,
            params=options.params,
            vote=options.vote,
            near_duplicates=not options.no_near_duplicates,
            skip_bad_audio=options.skip_bad_audio,
            seed=options.seed,
            device=_device(options.device),
        ),
        say=_say,
    )
    _say(f"Artefact: {final.artefact}\nReport: {final.report}")
    return 0


def verify(options) -> int:
    """Loads an artefact with every check there is."""
    trained = _load(options)
    outputs = len(trained.metadata["probe"]["logits"])
    what = "classes" if trained.labels else "numbers an embedding"
    print(
        f"'{options.artefact}' is whole: {outputs} {what}, the tensors, the label map and the "
        "backbone fit, and the probe gives the recorded logits."
    )
    return 0


def merge(options) -> int:
    """Merges an artefact into a stock Hugging Face model."""
    trained = _load(options, *LABELLED)
    difference = merge_to_transformers(trained, options.folder)
    print(
        f"'{options.folder}' equals the adapted model within {difference:.2g}, "
        f"{reads_clips_of(trained)}."
    )
    return 0


def export(options) -> int:
    """Writes an artefact in another program's format."""
    ending = os.path.splitext(options.path)[1].removeprefix(".")
    kind = options.format or ending
    if kind not in EXPORTERS:
        raise ValueError(
            f"'{options.path}' does not say what to write: let it end in .onnx "
            f"or .pt2, or give --format, one of {', '.join(EXPORTERS)}."
        )
    if kind != "peft" and os.path.isdir(options.path):
        raise ValueError(f"'{options.path}' is a folder: name a file to write.")
    if options.quantize:
        return _export_int8(options, kind)
    difference = EXPORTERS[kind](_load(options), options.path)
    print(f"'{options.path}' equals the model within {difference:.2g}.")
    return 0


def _export_int8(options, kind):
    """Writes an ONNX file in int8 and prints what it costs."""
    needed = ("calibrate", "test", "data_folder")
    missing = [f"--{one}" for one in needed if getattr(options, one) is None]
    if kind != "onnx" or missing:
        raise ValueError(
            "--quantize int8 is for .onnx files and needs "
            f"{', '.join(missing) or 'one'}: clips for the ranges of the "
            "numbers, and clips to measure the accuracy on."
        )
    sources = (options.calibrate, options.test, options.data_folder)
    for source in sources:
        if not os.path.exists(source):
            raise ValueError(f"There is no '{printable(source)}'.")
    trained = _load(options, *LABELLED)
    found = export_int8(trained, options.path, *sources)
    print(
        f"'{options.path}' in int8: accuracy {found['accuracy_int8']:.2%} on "
        f"{found['tested_on']} clips, {found['accuracy_fp32']:.2%} in float32; "
        f"the same label for {found['same_label']:.2%}."
    )
    return 0


def write_bank(options) -> int:
    """Writes several artefacts as a bank in ONNX."""
    bank = AdapterBank(options.backbone, "cpu", options.fetch or None)
    _fill(bank, options.task)
    tasks = {task: bank[task] for task in bank.tasks}
    difference = export_bank(tasks, options.path)
    print(
        f"'{options.path}' has {len(tasks)} tasks, each equal to its model "
        f"within {difference:.2g}."
    )
    return 0


def push(options) -> int:
    """Uploads an artefact."""
    commit = push_artefact(
        options.artefact,
        options.repo,
        options.revision,
        options.private,
        options.license,
    )
    print(f"'{options.repo}' has it, at commit {commit}.")
    return 0


def norm_stats(options) -> int:
    """Prints statistics of a corpus as overrides of a recipe's command."""
    mean, std = compute_norm_stats(
        options.manifest, options.data_folder, options.max_length
    )
    print(f"--feature_mean {mean:.7g} --feature_std {std:.7g}")
    return 0


def pull(options) -> int:
    """Downloads an artefact into a folder."""
    commit = pull_artefact(options.repo, options.folder, options.revision)
    print(f"'{options.folder}' holds '{options.repo}' at commit {commit}.")
    return 0


def _load(options, *tasks):
    """Loads the artefact that the options name, on the CPU.

    It is of one of the tasks, if any are given.
    """
    artefact = Artefact.open(options.artefact, options.revision)
    if tasks:
        artefact.require(*tasks)
    backbone = artefact.backbone(options.backbone, options.fetch or None)
    return artefact.load(backbone)
