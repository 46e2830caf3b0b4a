"""One process of a data-parallel run, which ends with its parent.

``torchrun`` gives each of its processes a session of its own, so that they
outlive it when it is killed: they would go on training, on a GPU and in a
folder that look free. Started through here, the system kills them with it::

    torchrun --nproc_per_node=2 -m speechbrain_petl.experiments.running.torchrun_worker train.py ...
"""

import ctypes
import os
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1  # of prctl(2): which signal the parent's death sends


def main() -> None:
    """Runs the script that the command line names, with what follows it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1 and "TORCHELASTIC_RUN_ID" in os.environ:
            sys.exit("torchrun is gone already")
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
