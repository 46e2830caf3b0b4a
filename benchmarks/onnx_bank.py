"""Twenty tasks in one ONNX bank, against one model in ONNX.

Houlsby adapters of 2 to 40 classes, clips of a second, one a call. ``held`` is
what the process's own memory (not that of mapped files) grew by: from before
the files were opened until each task had been used. ``switching`` is how much
more processor time a call takes if the one before was another task's, by
medians of calls in turns; ``first use`` how long a task's file takes to be
read.
"""

import itertools
import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.measure import Contender
from benchmarks.serving import make_artefacts
from benchmarks.worker import STATUS

HERE = "benchmarks.onnx_bank"
TASKS = {f"task_{i}": ("adapter_hou_par", 2 * i) for i in range(1, 21)}
TURNS = 30  # of a call of the same task, and one of another
FRAMES = 100


def held_mb() -> float:
    """Returns the process's own resident memory in MB."""
    (line,) = [
        line
        for line in STATUS.read_text().splitlines()
        if line.startswith("RssAnon:")
    ]
    return int(line.split()[1]) * 1024 / 1e6


def disk_mb(folder: Path) -> float:
    """Returns the size of the files of a folder in MB."""
    return sum(file.stat().st_size for file in folder.iterdir()) / 1e6


def export(root: str, backbone: str, tasks: dict, whole: bool) -> None:
    """Writes a bank of tasks, or the model of one of them."""
    from speechbrain_petl.artefacts.open import Artefact
    from speechbrain_petl.integrations.onnx import export_onnx
    from speechbrain_petl.integrations.onnx_bank_export import export_bank

    folder, shared = Path(root), None
    make_artefacts(folder, backbone, FRAMES, tasks)
    loaded = {}
    for task in tasks:
        artefact = Artefact.open(folder / task)
        shared = shared or artefact.backbone(backbone)
        loaded[task] = artefact.load(shared)
    if whole:
        export_onnx(*loaded.values(), folder / "exported" / "model.onnx")
    else:
        export_bank(loaded, folder / "exported")


def exported(backbone, tasks, whole):
    """Exports in a process of its own, whose memory is not this one's."""
    kept = tempfile.TemporaryDirectory()
    args = (kept.name, backbone, tasks, whole)
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=export, args=args)
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError("The export failed.")
    return kept, Path(kept.name) / "exported"


def clip(samples):
    """Returns a clip of noise and its length, for one call."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (1, samples))
    return noise.astype(np.float32), np.ones(1, np.float32)


def one_model(backbone, calls, threads_of_calls):
    """Makes calls of one model."""
    import onnxruntime

    kept, folder = exported(backbone, {"one": TASKS["task_20"]}, True)
    before = held_mb()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads_of_calls
    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    wavs, lens = clip(session.get_inputs()[0].shape[1])

    def run():
        for _ in range(calls):
            session.run(["logits"], {"wavs": wavs, "lens": lens})

    run()
    run.kept = kept
    held = {"held_mb": held_mb() - before, "disk_mb": disk_mb(folder)}
    return run, held | {"clips": calls, "opaque": True}


def bank(backbone, tasks, threads_of_calls):
    """Makes a call of each task of a bank."""
    from speechbrain_petl.integrations.onnx_bank import OnnxBank

    wanted = dict(list(TASKS.items())[:tasks])
    kept, folder = exported(backbone, wanted, False)
    before = held_mb()
    opened = OnnxBank(folder, threads_of_calls)
    wavs, lens = clip(opened.samples)
    first, *others = opened.tasks
    opened.logits(first, wavs, lens)
    started = time.perf_counter()
    for task in others:
        opened._adapter(task)
    read = time.perf_counter() - started

    def run():
        for task in opened.tasks:
            opened.logits(task, wavs, lens)

    run()
    run.kept = kept
    held = held_mb() - before
    facts = {
        "held_mb": held,
        "disk_mb": disk_mb(folder),
        "first_ms": 1000 * read / len(others),
        "switch_ms": switching(opened, wavs, lens),
    }
    return run, facts | {"clips": tasks, "opaque": True}


def switching(opened, wavs, lens) -> float:
    """Returns how much longer calls of another task take, in milliseconds."""
    tasks = itertools.cycle(opened.tasks)
    same, other = [], []
    for task in itertools.islice(tasks, TURNS):
        for times in (other, same):
            started = time.process_time()
            opened.logits(task, wavs, lens)
            times.append(time.process_time() - started)
    return 1000 * (statistics.median(other) - statistics.median(same))


def groups(options) -> dict[str, list[Contender]]:
    """Returns the contenders."""
    tasks = 2 if options.smoke else len(TASKS)
    common = {
        "backbone": options.backbone,
        "threads_of_calls": options.threads,
    }
    return {
        "Twenty tasks": [
            Contender(
                "one model", f"{HERE}:one_model", common | {"calls": tasks}
            ),
            Contender("a bank", f"{HERE}:bank", common | {"tasks": tasks}),
        ]
    }
