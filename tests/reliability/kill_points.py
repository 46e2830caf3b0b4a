"""Kills a recipe at many points, runs it again, and compares.

Run by test_kill.py in a process of its own: it loads all libraries once and
forks for each run. A run dies, by SIGKILL, at its n-th touch of a file in the
output folder or in the cache of clips: these lie in every phase of a run.
"""

import contextlib
import importlib
import json
import os
import random
import runpy
import shutil
import signal
import sys
from pathlib import Path

# What every run would import for itself
WARM = (
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "speechbrain_petl.artefacts.write",
    "speechbrain_petl.training.brain",
    "speechbrain_petl.training.checkpointer",
    "speechbrain_petl.dataio.few_shot",
    "speechbrain_petl.dataio.noise",
    "speechbrain_petl.training.launch",
    "speechbrain_petl.training.verification_brain",
    "speechbrain_petl.lobes.heads",
    "speechbrain_petl.lobes.ipet",
    "speechbrain_petl.lobes.petl",
    "speechbrain_petl.lobes.prompts",
    "torchaudio.transforms",
    "transformers.models.audio_spectrogram_transformer."
    "modeling_audio_spectrogram_transformer",
)
PHASES = {
    "manifest writing": "/manifest",
    "checkpoint writing": "/save",
    "artefact writing": "artefact",
    "results writing": ("results.json", "predictions.csv", "confusion"),
    "training, validation and test": "/waveforms_",
}
EVENTS = ("open", "os.rename", "os.mkdir", "os.remove", "shutil.rmtree")


def phase_of(path):
    """What a run is doing when it touches a file."""
    for phase, parts in PHASES.items():
        for part in [parts] if isinstance(parts, str) else parts:
            if part in path:
                return phase
    return "start and logs"


def watch(folders, on_event):
    """Calls ``on_event(path)`` at each touch of a file in the folders."""

    def hook(event, args):
        """Sees what Python does."""
        if event in EVENTS and args and isinstance(args[0], (str, os.PathLike)):
            path = os.fspath(args[0])
            if isinstance(path, str) and path.startswith(folders):
                on_event(path)

    sys.addaudithook(hook)


def in_fork(work):
    """Runs ``work()`` in a copy of this process; gives its wait status."""
    child = os.fork()
    if not child:
        code = 1
        with contextlib.suppress(SystemExit):
            work()
            code = 0
        sys.stdout.flush()
        os._exit(code)
    return os.waitpid(child, 0)[1]


def train(yaml, arguments, output):
    """Runs the recipe."""
    recipe = next(p for p in Path(yaml).parents if (p / "train.py").is_file())
    script = str(recipe / "train.py")
    sys.path.insert(0, str(Path(script).parent))
    with open(f"{output}.log", "a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    sys.argv = [script, yaml, *arguments, f"--output_folder={output}"]
    runpy.run_path(script, run_name="__main__")


def outcome(output):
    """What a run found: every trained tensor, table, loss and metric."""
    results = json.loads((output / "results.json").read_text())
    tables = {f.name: f.read_text() for f in output.glob("*.csv")}
    valid = {k: v for k, v in results.items() if k.startswith("valid_")}
    assert tables and valid
    return {
        "tensors": (output / "artefact" / "petl.safetensors").read_bytes(),
        "tables": tables,
        "loss": results.get("loss"),
        "valid": valid,
    }


def main(yaml, folder, n_points, seed, *arguments):
    """Kills at ``n_points`` points; writes what came of each."""
    import torch

    from speechbrain.utils import logger

    for module in WARM:
        importlib.import_module(module)
    # Which packages there are: pip takes a second to tell, at each run.
    logger.get_environment_description = str
    torch.set_num_threads(1)
    folder = Path(folder)
    cache = os.environ["SPEECHBRAIN_PETL_CACHE"]
    whole = folder / "whole"

    def count():
        """The undisturbed run, twice: the clips are in the cache then."""
        touched = []
        watch((str(whole), cache), touched.append)
        train(yaml, arguments, whole)
        (folder / "touched.json").write_text(json.dumps(touched))

    for _ in range(2):
        shutil.rmtree(whole, ignore_errors=True)
        status = in_fork(count)
        assert status == 0, Path(f"{whole}.log").read_text()[-3000:]
    wanted = outcome(whole)
    touched = json.loads((folder / "touched.json").read_text())

    by_phase = {}
    for number, path in enumerate(touched):
        by_phase.setdefault(phase_of(path), []).append(number)
    generator, chosen = random.Random(int(seed)), set()
    while len(chosen) < int(n_points):
        for numbers in by_phase.values():
            chosen.add(generator.choice(numbers))
    found = []
    for number in sorted(chosen):
        output = folder / f"killed_{number}"

        def die():
            """The run that is killed."""
            left = [number]

            def step(path):
                """Counts down."""
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1

            watch((str(output), cache), step)
            train(yaml, arguments, output)

        status = in_fork(die)
        killed = os.WIFSIGNALED(status)
        status = in_fork(lambda: train(yaml, arguments, output))
        same = status == 0 and outcome(output) == wanted
        found.append(
            {
                "point": number,
                "phase": phase_of(touched[number]),
                "file": os.path.basename(touched[number]),
                "killed": killed,
                "bit_equal": same,
                "log": ""
                if same
                else Path(f"{output}.log").read_text()[-2000:],
            }
        )
        shutil.rmtree(output, ignore_errors=True)
    (folder / "found.json").write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
