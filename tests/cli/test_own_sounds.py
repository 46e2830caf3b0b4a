"""Training on a folder of sounds: what the command tells meanwhile."""

import logging

import pytest
from speechbrain_petl.cli.own_sounds import errors_of_speechbrain_only


def test_only_errors_of_speechbrain_are_told_meanwhile(caplog):
    seed = logging.getLogger("speechbrain.utils.seed")
    caplog.set_level(logging.INFO, seed.name)
    with errors_of_speechbrain_only():
        seed.info("Setting seed to 1")
        seed.error("no seed")
        logging.getLogger("speechbrain_petl").warning("odd data")
    seed.info("Setting seed to 2")
    assert caplog.messages == ["no seed", "odd data", "Setting seed to 2"]


def test_an_error_ends_the_silence_too(caplog):
    seed = logging.getLogger("speechbrain.utils.seed")
    caplog.set_level(logging.INFO, seed.name)
    with pytest.raises(ValueError), errors_of_speechbrain_only():
        raise ValueError("no clips")
    seed.info("Setting seed to 2")
    assert caplog.messages == ["Setting seed to 2"]
