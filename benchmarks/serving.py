"""Ten tasks in one AdapterBank, against ten models and against one.

The tasks are of ten methods and of 2 to 50 classes. A mixed batch has a clip
of each task; ``one model`` gives the same clips to one task.
"""

import json
from pathlib import Path

import torch

from benchmarks.measure import Contender
from benchmarks.models import recipe

HERE = "benchmarks.serving"
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


def make_artefacts(
    root: Path, backbone: str, frames: int, tasks: dict[str, tuple[str, int]]
) -> None:
    """Writes artefacts, their tensors moved from their start.

    Arguments
    ---------
    root : Path
        Their folder.
    backbone : str
        Folder of the backbone.
    frames : int
        Length of clips.
    tasks : dict of str to tuple
        YAML and number of classes by the artefact's name.
    """
    from hyperpyyaml import load_hyperpyyaml, resolve_references
    from speechbrain_petl.artefacts.write import write_artefact

    from speechbrain.dataio.encoder import CategoricalEncoder

    for task, (yaml, n_classes) in tasks.items():
        text, overrides = recipe(yaml, backbone, max_length=frames)
        hparams = load_hyperpyyaml(text, overrides)
        labels = CategoricalEncoder()
        labels.update_from_iterable(f"{yaml} {i}" for i in range(n_classes))
        width = hparams["backbone"].config.hidden_size
        with torch.no_grad():
            for tensor in hparams["encoder"].delta().values():
                if tensor.is_floating_point():
                    tensor += 0.01 * torch.rand_like(tensor)
        write_artefact(
            root / task,
            hparams["backbone"],
            hparams["compute_features"],
            hparams["encoder"],
            hparams["classifier"](width, n_classes),
            labels,
            resolve_references(text, overrides).getvalue(),
            {
                "method": yaml,
                "trainable": hparams["encoder"].count_parameters(),
                "training": {"corpus": "none", "hyperparameters": {}},
                "metrics": {"accuracy": 0.0},
            },
        )


def bank(root, backbone, clips, seconds, device):
    """Makes one bank of all tasks, for a mixed batch."""
    from speechbrain_petl.inference.bank import AdapterBank

    tasks = AdapterBank(backbone, device)
    for name in TASKS:
        tasks.add(name, Path(root) / name)
    wavs = make_wavs(clips, seconds, device)
    names = [list(TASKS)[i % len(TASKS)] for i in range(clips)]
    modules = [m for name in TASKS for m in tasks[name].modules[1:]]

    def run():
        tasks.classify_batch(wavs, tasks=names)

    return run, {"clips": clips, "tensors_mb": size_mb(modules)}


def separate(root, backbone, clips, seconds, device):
    """Makes a SpeechBrain model for each task, each for its clips."""
    from speechbrain_petl.inference.classifier import PETLClassifier

    models = [
        PETLClassifier.from_hparams(
            f"{root}/{name}",
            overrides={"source": backbone},
            run_opts={"device": device},
        )
        for name in TASKS
    ]
    wavs = make_wavs(clips, seconds, device)

    def run():
        with torch.no_grad():
            for i, model in enumerate(models):
                model.classify_batch(wavs[i :: len(models)])

    return run, {"clips": clips, "tensors_mb": size_mb(models)}


def one_model(root, backbone, clips, seconds, device, at_once):
    """Makes the frozen backbone with one head."""
    from speechbrain_petl.lobes.ast import AST
    from speechbrain_petl.lobes.features import ASTFbank

    metadata = json.loads((Path(root) / "linear/artefact.json").read_text())
    length = metadata["features"]["max_length"]
    ast = AST(backbone, max_length=length)
    modules = [
        ASTFbank(length),
        ast,
        torch.nn.Linear(ast.config.hidden_size, 50),
    ]
    model = torch.nn.Sequential(*modules).to(device)
    wavs = make_wavs(clips, seconds, device)

    def run():
        with torch.no_grad():
            for batch in wavs.split(at_once):
                model(batch)

    return run, {"clips": clips, "tensors_mb": size_mb([model])}


def make_wavs(clips, seconds, device):
    """Returns noise [clips, samples]."""
    generator = torch.Generator().manual_seed(0)
    wavs = torch.rand(clips, round(16000 * seconds), generator=generator)
    return (wavs - 0.5).to(device)


def size_mb(modules):
    """Returns the bytes of the tensors of modules, each counted once."""
    storages = {
        tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes()
        for module in modules
        for tensor in [*module.parameters(), *module.buffers()]
    }
    return sum(storages.values()) / 1e6


def groups(options) -> dict[str, list[Contender]]:
    """Returns the contenders of each group."""
    root = options.folder / "artefacts"
    tasks = {yaml: (yaml, number) for yaml, number in TASKS.items()}
    make_artefacts(root, options.backbone, options.frames, tasks)
    common = {
        "root": str(root),
        "backbone": options.backbone,
        "clips": len(TASKS),
        "seconds": options.frames / 100,
        "device": options.device,
    }

    def contender(name, make, **more):
        return Contender(name, f"{HERE}:{make}", common | more)

    return {
        "Ten tasks": [
            contender("one model", "one_model", at_once=len(TASKS)),
            contender("one model, clip by clip", "one_model", at_once=1),
            contender("ten models", "separate"),
            contender("a bank of ten", "bank"),
        ]
    }
