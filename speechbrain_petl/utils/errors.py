"""How errors are told: one line for the user, the traceback on request."""

import contextlib
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable
from types import TracebackType

from speechbrain_petl.utils.messages import printable

FINE, SOME_FAILED, NOTHING_DONE, STOPPED = 0, 1, 2, 128 + 2
# After Ctrl-C, of a command that continues what it finds
GOES_ON = "stopped; the same command goes on"
EXIT_CODES = """
exit codes:
  0    all went well
  1    a part failed; the rest was done
  2    nothing was done: the message says why
  130  stopped by Ctrl-C
"""
# What a user can mend; any other kind of error is named, as it may be a bug.
KNOWN = (ValueError, OSError)


def sentence(error: BaseException) -> str:
    """Returns the message of an error as one line.

    The message of an error in a worker process begins with a traceback: of it,
    only the last line is given.

    Arguments
    ---------
    error : BaseException
        The error.

    Returns
    -------
    str

    Example
    -------
    >>> sentence(ValueError("No\\n  such clip."))
    'No such clip.'
    >>> sentence(KeyError("label"))
    "KeyError: 'label'"
    >>> sentence(FileNotFoundError(2, "No such file or directory", "a.wav"))
    "No such file or directory: 'a.wav'"
    """
    text = str(error).strip()
    if "Traceback (most recent call last)" in text:
        return printable(text.splitlines()[-1])
    text = " ".join(re.sub(r"^\[Errno \d+\] ", "", text).split())
    text = printable(text)
    name = type(error).__name__
    if not isinstance(error, KNOWN):
        return f"{name}: {text}" if text else name
    return text or name


def run_command(
    command: Callable[[], int],
    program: str,
    debug: bool = False,
    stopped: str = "stopped",
) -> int:
    """Runs a command, and tells an error in one line on stderr.

    Arguments
    ---------
    command : callable
        Does the work; returns the exit code.
    program : str
        Name of the program, which the line begins with.
    debug : bool
        If True, prints the traceback as well.
    stopped : str
        What to say after Ctrl-C.

    Returns
    -------
    int
        Exit code, see ``EXIT_CODES``.

    Example
    -------
    >>> run_command(lambda: 1, "count")
    1
    """
    try:
        return command()
    except KeyboardInterrupt:
        if debug:
            traceback.print_exc()
        print(f"{program}: {stopped}", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:  # such as: speechbrain-petl predict ... | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_FAILED
    except Exception as error:
        if debug:
            traceback.print_exc()
        print(f"{program}: {sentence(error)}", file=sys.stderr)
        return NOTHING_DONE


def tell_errors(
    debug: bool,
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """Makes an ``excepthook`` that prints an uncaught error as one line.

    The traceback goes to the log files, and with ``debug`` to the terminal.

    Arguments
    ---------
    debug : bool
        If True, prints the traceback instead.

    Returns
    -------
    callable
        To be put at ``sys.excepthook``.
    """

    def hook(kind, error, trace):
        """Prints an error that nobody handled."""
        if issubclass(kind, KeyboardInterrupt) and not debug:
            print(f"{GOES_ON.capitalize()}.", file=sys.stderr)
            return
        if debug or not issubclass(kind, Exception):
            sys.__excepthook__(kind, error, trace)
            return
        record = logging.LogRecord(
            __name__,
            logging.ERROR,
            __file__,
            0,
            "",
            (),
            (kind, error, trace),
        )
        files = [
            handler
            for handler in logging.getLogger().handlers
            if isinstance(handler, logging.FileHandler)
        ]
        for handler in files:
            # A log whose folder is gone is no error of its own.
            with contextlib.suppress(OSError):
                handler.handle(record)
        where = f"; traceback: {files[0].baseFilename}" if files else ""
        print(f"Error: {sentence(error)}{where}", file=sys.stderr)

    return hook
