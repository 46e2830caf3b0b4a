"""Keeps out of a run's log what says nothing of the run."""

import logging

# Of these, the file log.txt would hold every detail: hundreds of lines.
CHATTY = ("matplotlib", "PIL", "filelock", "fsspec", "urllib3", "httpcore")
# SpeechBrain warns of this whether figures are asked for or not; none are.
UNASKED = "torchvision is not available"


def quiet_libraries() -> None:
    """Lets libraries log their warnings only, and none that misleads."""
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("speechbrain.utils.train_logger").addFilter(is_of_the_run)


def is_of_the_run(record: logging.LogRecord) -> bool:
    """Returns True for what a run should log."""
    return UNASKED not in record.getMessage()
