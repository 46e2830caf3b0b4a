"""The command that trains on a folder of sounds."""

import logging
import os

from speechbrain_petl.adapt.request import Request
from speechbrain_petl.adapt.session import train_folder
from speechbrain_petl.cli.shared import device_of, say


def train(options) -> int:
    """Trains an adapter on a folder of sounds."""
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
            device=device_of(options.device),
        ),
        say=say,
    )
    say(f"Artefact: {final.artefact}\nReport: {final.report}")
    return 0
