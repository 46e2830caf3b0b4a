"""The command that trains on a folder of sounds."""

import contextlib
import logging
import os
from collections.abc import Iterator

from speechbrain_petl.adapt.request import Request


def train(options) -> int:
    """Trains an adapter on a folder of sounds."""
    name = os.path.basename(os.path.abspath(options.folder))
    request = Request(
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
        device=options.device,
    )
    # Only now: they take seconds, and packages that other commands do without.
    from speechbrain_petl.adapt.session import train_folder
    from speechbrain_petl.cli.shared import device_of, quiet, say

    quiet()
    device_of(request.device)
    with errors_of_speechbrain_only():
        final = train_folder(request, say=say, began=options.began)
    say(f"Artefact: {final.artefact}\nReport: {final.report}")
    return 0


@contextlib.contextmanager
def errors_of_speechbrain_only() -> Iterator[None]:
    """Leaves out what SpeechBrain tells, such as the seed of each model.

    Its loggers set their levels themselves, so that handlers have to filter.
    """
    handlers = list(logging.getLogger().handlers)
    for handler in handlers:
        handler.addFilter(is_no_detail)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(is_no_detail)


def is_no_detail(record: logging.LogRecord) -> bool:
    """Returns True for errors, and for all that is not SpeechBrain's."""
    of_speechbrain = record.name.startswith("speechbrain.")
    return not of_speechbrain or record.levelno >= logging.ERROR
