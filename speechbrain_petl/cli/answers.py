"""The commands that answer for audio files: predict, bank, verify-speakers."""

import json
import os
import sys
import traceback

from speechbrain_petl.cli.bandwidth import trained_rate, watch
from speechbrain_petl.cli.files import (
    Answers,
    check_files,
    named_files,
    part_of,
)
from speechbrain_petl.cli.jobs import submit
from speechbrain_petl.cli.shared import device_of, fill_bank, say
from speechbrain_petl.cli.timeline import write_timeline
from speechbrain_petl.inference.answers import as_data
from speechbrain_petl.inference.bank import AdapterBank
from speechbrain_petl.inference.many import classify_files
from speechbrain_petl.inference.speaker import PETLSpeaker
from speechbrain_petl.utils.errors import sentence
from speechbrain_petl.utils.messages import printable
from tqdm import tqdm


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
    return _classify(fill_bank(_bank(options), options.task), options)


def verify_speakers(options) -> int:
    """Compares the speaker of one file with those of others."""
    check_files([options.enrolled])
    check_files(options.files)
    speaker = PETLSpeaker.from_artefact(
        options.artefact,
        options.revision,
        options.backbone,
        device_of(options.device),
        options.fetch or None,
        options.precision,
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
            say(json.dumps(shown))
        else:
            said = "same speaker" if same else "other speaker"
            say(f"{printable(path)}\t{said}\t{score:.4f}")
    return _count_failed(failed, len(options.files))


def _bank(options):
    """Makes an empty bank with the options of a command."""
    device = device_of(options.device)
    return AdapterBank(
        options.backbone, device, options.fetch or None, options.precision
    )


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
            say(_shown(path, prediction, bank[prediction.task], options))
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
        say(had, sys.stderr)
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
            say("\t".join(map(printable, [*cells, f"{one.probability:.3f}"])))
    return done, failed


def _progress(names, options):
    """Shows how many files are done, where there are many."""
    one = len(options.files) == 1 and not options.files_from
    alone = one and not os.path.isdir(options.files[0])
    return tqdm(names, disable=True if alone else None, unit="file")


def _fail(path, error, options):
    """Tells why a file failed, and returns the sentence."""
    if options.debug:
        say("".join(traceback.format_exception(error)), sys.stderr)
    said = sentence(error)
    if printable(path) not in said:
        said = f"{printable(path)}: {said}"
    say(f"speechbrain-petl: {said}", sys.stderr)
    if options.json:
        say(json.dumps({"file": path, "error": said}))
    return said


def _count_failed(failed, done):
    """Tells how many files failed, and returns the exit code."""
    if failed:
        say(f"{failed} of {done} files failed.", sys.stderr)
    return 1 if failed else 0


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
