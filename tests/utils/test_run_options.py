"""SpeechBrain's options are known without importing it."""

import subprocess
import sys

from speechbrain_petl.utils.run_options import run_options

from speechbrain.utils.run_opts import RunOptions


def test_they_are_the_installed_ones():
    assert run_options() == RunOptions().as_dict()


def test_commands_that_start_others_wait_for_neither_torch_nor_scipy():
    code = (
        "import sys, speechbrain_petl.experiments.__main__\n"
        "slow = {'torch', 'scipy', 'speechbrain', 'matplotlib', 'sklearn'}\n"
        "sys.exit(str(slow & set(sys.modules) or ''))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert not done.stderr.strip(), done.stderr
