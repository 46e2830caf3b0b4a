"""SpeechBrain's options of a run, without waiting for SpeechBrain."""

import functools
import importlib.util
import sys
from pathlib import Path
from typing import Any


@functools.cache
def run_options() -> dict[str, Any]:
    """Returns SpeechBrain's options by name, with their defaults.

    The module that has them is read by itself: importing the package, and
    torch with it, takes seconds, which a command that only starts other
    processes should not.

    Returns
    -------
    dict of str to object
        As from ``speechbrain.utils.run_opts.RunOptions().as_dict()``.

    Example
    -------
    >>> run_options()["debug"], run_options()["device"]
    (False, None)
    """
    package = importlib.util.find_spec("speechbrain")
    assert package is not None and package.origin is not None
    file = Path(package.origin).parent / "utils" / "run_opts.py"
    name = "speechbrain_run_opts"  # not the package's, which may come later
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses ask for it
    spec.loader.exec_module(module)
    return module.RunOptions().as_dict()
