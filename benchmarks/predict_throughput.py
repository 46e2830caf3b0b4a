"""Files a second of ``predict``: one after another, in batches, and in bf16.

Clips of one second, read from disk, by a linear probe on a backbone of the size
of AST-base, on a small one and on a tiny one. What batches can gain is what one
clip alone leaves unused: on a CPU, the larger the backbone, the less.
"""

from pathlib import Path

import torch

from benchmarks.measure import Contender
from benchmarks.models import make_backbone, recipe

HERE = "benchmarks.predict_throughput"
SECONDS, FRAMES, N_CLASSES = 1.0, 100, 10
#: Difference of log posteriors that is no fault.
MOST = {"fp32": 1e-5, "auto": 0.05}
SIZES = {
    "Files of 1 s, AST-base": {},
    "Files of 1 s, a small AST (6 layers, d 192)": {
        "hidden_size": 192,
        "num_hidden_layers": 6,
        "num_attention_heads": 3,
        "intermediate_size": 768,
    },
    "Files of 1 s, a tiny AST (2 layers, d 48)": {
        "hidden_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 192,
    },
}


def make_artefact(folder: Path, backbone: str) -> None:
    """Writes the artefact of a linear probe."""
    from hyperpyyaml import load_hyperpyyaml, resolve_references
    from speechbrain_petl.artefacts.write import write_artefact

    from speechbrain.dataio.encoder import CategoricalEncoder

    text, overrides = recipe("linear", backbone, max_length=FRAMES)
    hparams = load_hyperpyyaml(text, overrides)
    labels = CategoricalEncoder()
    labels.update_from_iterable(map(str, range(N_CLASSES)))
    width = hparams["backbone"].config.hidden_size
    write_artefact(
        folder,
        hparams["backbone"],
        hparams["compute_features"],
        hparams["encoder"],
        hparams["classifier"](width, N_CLASSES),
        labels,
        resolve_references(text, overrides).getvalue(),
        {
            "method": "linear",
            "trainable": hparams["encoder"].count_parameters(),
            "training": {"corpus": "none", "hyperparameters": {}},
            "metrics": {"accuracy": 0.0},
        },
    )


def write_files(folder: Path, n_files: int) -> None:
    """Writes files of noise, of half a second to ``SECONDS``."""
    import soundfile

    folder.mkdir(parents=True)
    generator = torch.Generator().manual_seed(0)
    for number in range(n_files):
        size = round(16000 * SECONDS * (1 + number % 2) / 2)
        wave = 0.1 * torch.randn(size, generator=generator)
        soundfile.write(folder / f"{number}.wav", wave.numpy(), 16000)


def predict(artefact, backbone, files, device, batched, precision="fp32"):
    """Classifies files, in batches or one after another."""
    from speechbrain_petl.inference.bank import AdapterBank
    from speechbrain_petl.inference.many import classify_files

    exact = AdapterBank(backbone, device)
    exact.add("", artefact)
    bank = AdapterBank(backbone, device, precision=precision)
    bank.add("", artefact)
    paths = sorted(map(str, Path(files).iterdir()))

    def alone():
        return [exact.classify_file(path)[0].posteriors for path in paths]

    def together():
        answers = classify_files(bank, paths)
        return [answer.predictions[0].posteriors for answer in answers]

    gap = (torch.stack(alone()) - torch.stack(together())).abs().max()
    assert gap < MOST[precision], f"batches differ by {gap:g}"

    def run():
        (together if batched else alone)()

    return run, {"clips": len(paths)}


def groups(options) -> dict[str, list[Contender]]:
    """Returns the contenders of each group."""
    files = options.folder / "files"
    write_files(files, options.clips)
    found = {}
    for number, (group, sizes) in enumerate(SIZES.items()):
        if options.only not in group:
            continue
        folder = options.folder / f"backbone_{number}"
        backbone = make_backbone(folder, **{**sizes, **options.sizes})
        artefact = options.folder / f"artefact_{number}"
        make_artefact(artefact, backbone)
        common = {
            "artefact": str(artefact),
            "backbone": backbone,
            "files": str(files),
            "device": options.device,
        }
        found[group] = [
            Contender(name, f"{HERE}:predict", common | how)
            for name, how in (
                ("one after another", {"batched": False}),
                ("in batches", {"batched": True}),
                (
                    "in batches, --precision auto",
                    {"batched": True, "precision": "auto"},
                ),
            )
        ]
    return found
