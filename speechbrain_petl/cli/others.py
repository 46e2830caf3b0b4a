"""The commands of ``speechbrain-petl`` that other rooms have whole."""

from pathlib import Path


def experiments(options) -> int:
    """Runs a command of the experiments."""
    from speechbrain_petl.experiments.__main__ import run_step

    return run_step(options)


def demo(options) -> int:
    """Runs the demo."""
    from speechbrain_petl.demo.__main__ import run

    return run(Path(options.folder).absolute())
