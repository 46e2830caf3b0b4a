"""Ten tasks in one AdapterBank, against ten separate models and one plain.

python benchmarks/adapter_bank.py [--backbone FOLDER] [--clips 10] [--seconds 5]

Makes ten artefacts, of ten methods and 2 to 50 classes, on a backbone of
AST-base's size (random weights unless a folder is given), then measures each
way of running them in a process of its own on the CPU: what its tensors take,
the process's peak memory, and the processor's time to load and for a clip of
one mixed batch, each clip of another task. (Not the clock's: that depends on
what else the machine does.) Writes adapter_bank.csv beside this file.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

HERE = Path(__file__).parent
RECIPE = HERE.parent / "recipes" / "ESC50" / "hparams"
TASKS = {
    "adapter_hou_par": 50,
    "adapter_pf_seq": 10,
    "conformer_pf_par": 30,
    "convpass_hou_par": 12,
    "lora": 35,
    "prefix": 5,
    "dpt": 2,
    "soft_moa": 20,
    "bitfit": 31,
    "linear": 8,
}
ROUNDS = 2


def make_artefacts(root: Path, backbone: str, max_length: int) -> None:
    """Writes an artefact of each task, its tensors moved from their start."""
    from hyperpyyaml import load_hyperpyyaml, resolve_references
    from speechbrain_petl.artefact import write_artefact

    from speechbrain.dataio.encoder import CategoricalEncoder

    for yaml, n_classes in TASKS.items():
        text = (RECIPE / f"{yaml}.yaml").read_text()
        overrides = {
            "data_folder": "none",
            "ast_source": backbone,
            "max_length": max_length,
            "output_folder": str(root / "run"),
        }
        hparams = load_hyperpyyaml(text, overrides)
        labels = CategoricalEncoder()
        labels.update_from_iterable(f"{yaml} {i}" for i in range(n_classes))
        head = hparams["classifier"](
            hparams["ast"].config.hidden_size, n_classes
        )
        with torch.no_grad():
            for tensor in hparams["encoder"].delta().values():
                if tensor.is_floating_point():
                    tensor += 0.01 * torch.rand_like(tensor)
        write_artefact(
            root / yaml,
            hparams["ast"],
            hparams["compute_features"],
            hparams["encoder"],
            head,
            labels,
            resolve_references(text, overrides).getvalue(),
            {
                "method": yaml,
                "trainable": hparams["encoder"].count_parameters(),
                "training": {"corpus": "none", "hyperparameters": {}},
                "metrics": {"accuracy": 0.0},
            },
        )


def bank(root, backbone, wavs):
    """All tasks in one bank; one mixed batch."""
    from speechbrain_petl.bank import AdapterBank

    tasks = AdapterBank(backbone)
    for name in TASKS:
        tasks.add(name, root / name)
    names = [list(TASKS)[i % len(TASKS)] for i in range(len(wavs))]
    modules = [m for name in TASKS for m in tasks[name][1:]]
    return modules, lambda: tasks.classify_batch(wavs, tasks=names)


def separate(root, backbone, wavs):
    """A model for each task, as SpeechBrain loads them; each its clips."""
    from speechbrain_petl.inference import PETLClassifier

    models = [
        PETLClassifier.from_hparams(
            str(root / name),
            overrides={"ast_source": backbone},
            run_opts={"device": "cpu"},
        )
        for name in TASKS
    ]

    def run():
        for i, model in enumerate(models):
            model.classify_batch(wavs[i :: len(models)])

    return models, run


def plain(root, backbone, wavs):
    """The frozen backbone with one head: the whole batch at once."""
    from speechbrain_petl.lobes.ast import AST
    from speechbrain_petl.lobes.features import ASTFbank

    metadata = json.loads((root / "linear" / "artefact.json").read_text())
    length = metadata["features"]["max_length"]
    ast, fbank = AST(backbone, max_length=length), ASTFbank(length)
    head = torch.nn.Linear(ast.config.hidden_size, 50)

    def run():
        with torch.no_grad():
            head(ast(fbank(wavs)))

    return [ast, fbank, head], run


def plain_one_by_one(root, backbone, wavs):
    """As ``plain``, each clip by itself."""
    modules, _ = plain(root, backbone, wavs)
    ast, fbank, head = modules

    def run():
        with torch.no_grad():
            for wav in wavs:
                head(ast(fbank(wav[None])))

    return modules, run


def measure(way: str, root: Path, backbone: str, n: int, seconds: float):
    """Loads and runs one way on one thread; prints its row as JSON."""
    torch.set_num_threads(1)  # threads that wait for others would count
    generator = torch.Generator().manual_seed(0)
    wavs = torch.rand(n, round(16000 * seconds), generator=generator) - 0.5
    started = time.process_time()
    modules, run = globals()[way](root, backbone, wavs)
    loaded = time.process_time() - started
    tensors = {
        t.untyped_storage().data_ptr(): t.untyped_storage().nbytes()
        for module in modules
        for t in [*module.parameters(), *module.buffers()]
    }
    run()
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        run()
        times.append(time.process_time() - started)
    row = {
        "way": way,
        "tensors_mb": round(sum(tensors.values()) / 1e6, 1),
        "peak_rss_mb": round(
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        ),
        "load_cpu_s": round(loaded, 1),
        "cpu_s_per_clip": round(min(times) / n, 2),
    }
    print(json.dumps(row))


def main():
    """Makes the artefacts and measures each way in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone")
    parser.add_argument("--clips", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--root", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        return measure(
            options.way,
            Path(options.root),
            options.backbone,
            options.clips,
            options.seconds,
        )
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        backbone = options.backbone
        if backbone is None:
            from transformers import ASTConfig, ASTModel

            backbone = str(root / "ast-base")
            ASTModel(ASTConfig()).save_pretrained(backbone)
        make_artefacts(root, backbone, round(100 * options.seconds))
        rows = []
        for way in ("plain", "plain_one_by_one", "separate", "bank"):
            command = [sys.executable, __file__, "--way", way, "--root", root]
            command += ["--backbone", backbone, "--clips", options.clips]
            command += ["--seconds", options.seconds]
            done = subprocess.run(
                list(map(str, command)), stdout=subprocess.PIPE, check=True
            )
            rows.append(json.loads(done.stdout.splitlines()[-1]))
            print(rows[-1])
        delta = sum(
            os.path.getsize(root / n / "petl.safetensors") for n in TASKS
        )
        print(f"the ten tasks' tensors on the disk: {delta / 1e6:.1f} MB")
    with open(HERE / "adapter_bank.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
