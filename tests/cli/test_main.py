"""The command: which function an option calls, and its exit codes."""

import pytest
from speechbrain_petl import __version__
from speechbrain_petl.cli import inspection
from speechbrain_petl.cli.main import PROGRAM, main


@pytest.mark.parametrize("code", [0, 1])
def test_a_commands_code_is_the_programs(code, monkeypatch):
    seen = []

    def inspect(options):
        seen.append(options.artefact)
        return code

    monkeypatch.setattr(inspection, "inspect", inspect)
    assert main(["inspect", "somewhere"]) == code
    assert seen == ["somewhere"]


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (ValueError("no\nadapter"), 2, f"{PROGRAM}: no"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_error_is_one_line_and_a_code(
    error, code, sentence, monkeypatch, capsys
):
    def inspect(options):
        raise error

    monkeypatch.setattr(inspection, "inspect", inspect)
    assert main(["inspect", "somewhere"]) == code
    said = capsys.readouterr().err
    assert sentence in said and "Traceback" not in said


def test_without_a_command_it_says_which_there_are(capsys):
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
    assert "usage: speechbrain-petl" in capsys.readouterr().err


def test_the_version_is_the_packages(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"speechbrain-petl {__version__}\n"


def test_the_license_is_told(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--license"])
    assert stopped.value.code == 0
    assert "Apache License, Version 2.0" in capsys.readouterr().out.replace(
        "\n", " "
    )
