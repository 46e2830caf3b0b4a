"""A run's log says what is of the run."""

import logging

import pytest
from speechbrain_petl.training.quiet import CHATTY, UNASKED, quiet_libraries


@pytest.fixture
def restored():
    """Puts levels and filters back."""
    loggers = [logging.getLogger(name) for name in CHATTY]
    other = logging.getLogger("speechbrain.utils.train_logger")
    levels, filters = [one.level for one in loggers], list(other.filters)
    yield
    other.filters[:] = filters
    for one, level in zip(loggers, levels, strict=True):
        one.setLevel(level)


def test_details_of_libraries_are_left_out(restored, caplog):
    quiet_libraries()
    caplog.set_level(logging.DEBUG)
    for name in CHATTY:
        logging.getLogger(f"{name}.part").debug("every font")
        logging.getLogger(f"{name}.part").warning("no font")
    assert caplog.messages == ["no font"] * len(CHATTY)


def test_what_was_not_asked_for_is_not_missed(restored, caplog):
    quiet_libraries()
    logger = logging.getLogger("speechbrain.utils.train_logger")
    caplog.set_level(logging.WARNING, logger.name)
    logger.warning(f"{UNASKED} - cannot save figures")
    logger.warning("the disk is full")
    assert caplog.messages == ["the disk is full"]
