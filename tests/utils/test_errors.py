"""An error is one line for the user; its kind is told if it may be a bug."""

import logging

import pytest
from speechbrain_petl.utils.errors import (
    NOTHING_DONE,
    STOPPED,
    run_command,
    sentence,
    tell_errors,
)


def test_debug_shows_the_traceback_and_a_bug_its_kind(capsys):
    try:
        raise KeyError("label")
    except KeyError as error:
        tell_errors(True)(KeyError, error, error.__traceback__)
        assert "Traceback (most recent call last)" in capsys.readouterr().err
        tell_errors(False)(KeyError, error, error.__traceback__)
        said = capsys.readouterr().err
        assert said.startswith("Error: KeyError: 'label'")
        assert "Traceback" not in said
    text = (
        "Caught\nTraceback (most recent call last):\n  x\nValueError: 'a.wav'"
    )
    assert sentence(RuntimeError(text)) == "ValueError: 'a.wav'"


@pytest.mark.parametrize(
    "error, said",
    [
        (ValueError("No such\n clip."), "No such clip."),
        (FileNotFoundError(2, "No such file", "a"), "No such file: 'a'"),
        (OSError(), "OSError"),
        (KeyError("features"), "KeyError: 'features'"),
        (
            RuntimeError("CUDA\nout of memory"),
            "RuntimeError: CUDA out of memory",
        ),
        (AssertionError(), "AssertionError"),
    ],
)
@pytest.mark.fault("command line: an error of any kind")
def test_an_error_is_one_line(error, said, capsys):
    def command():
        """Fails."""
        raise error

    assert run_command(command, "program") == NOTHING_DONE
    assert capsys.readouterr().err == f"program: {said}\n"
    assert run_command(command, "program", debug=True) == NOTHING_DONE
    shown = capsys.readouterr().err
    assert "Traceback (most recent call last)" in shown
    assert shown.endswith(f"program: {said}\n")


def test_ctrl_c_has_its_own_exit_code(capsys):
    def command():
        """Is stopped."""
        raise KeyboardInterrupt

    assert run_command(command, "program") == STOPPED == 130
    assert capsys.readouterr().err == "program: stopped\n"


def test_usage_errors_of_argparse_pass():
    def command():
        """Exits."""
        raise SystemExit(2)

    with pytest.raises(SystemExit):
        run_command(command, "program")


def test_a_stopped_run_says_how_to_go_on(capsys):
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt as error:
        tell_errors(False)(KeyboardInterrupt, error, error.__traceback__)
        said = capsys.readouterr().err
        assert said == "Stopped; the same command goes on.\n"
        tell_errors(True)(KeyboardInterrupt, error, error.__traceback__)
    assert "Traceback" in capsys.readouterr().err


def test_a_log_whose_folder_is_gone_hides_nothing(capsys, tmp_path):
    log = tmp_path / "gone" / "log.txt"
    handler = logging.FileHandler(log, delay=True)
    logging.getLogger().addHandler(handler)
    try:
        tell_errors(False)(ValueError, ValueError("bad"), None)
    finally:
        logging.getLogger().removeHandler(handler)
    assert "Error: bad" in capsys.readouterr().err
