"""One training step of every method.

A step is forward, cross entropy, backward and AdamW's update, on features
that are there already, of the recipe's model and optimizer in a plain loop;
``whole_step`` is the recipe's own, from waveforms, with SpecAugment and all
that ``Brain`` does.
"""

import torch

from benchmarks.measure import Contender
from benchmarks.models import N_CLASSES, load_recipe, plain_step, recipe_brain
from benchmarks.worker import count_operations

HERE = "benchmarks.training_step"


def make_step(forward, modules, opt_class, batch, frames, precision, device):
    """Makes a step on random features [batch, frames, 128], and its facts."""
    generator = torch.Generator().manual_seed(0)
    feats = torch.randn(batch, frames, 128, generator=generator)
    return plain_step(forward, modules, feats, opt_class, precision, device)


def ours(
    yaml,
    backbone,
    batch,
    frames,
    precision,
    device,
    compiled=False,
    **overrides,
):
    """Makes a step of a recipe's model in a plain loop."""
    hparams = load_recipe(yaml, backbone, max_length=frames, **overrides)
    head = torch.nn.Linear(hparams["backbone"].config.hidden_size, N_CLASSES)
    model = torch.nn.Sequential(hparams["encoder"], head).train()
    forward = torch.compile(model) if compiled else model
    run, facts = make_step(
        forward, [model], hparams["opt_class"], batch, frames, precision, device
    )
    if compiled:
        return run, facts | {"opaque": True}
    return run, facts | {"operations": count_step(run, hparams["encoder"])}


def count_step(run, encoder):
    """Counts the operations of a step with PyTorch's attention.

    What ours computes a second time, backwards, is no work done.
    """
    backbone = encoder.model.model
    implementation = backbone.config._attn_implementation
    backbone.set_attn_implementation("sdpa")
    operations = count_operations(run)
    backbone.set_attn_implementation(implementation)
    return operations


def whole_step(yaml, backbone, batch, frames, precision, device):
    """Makes a recipe's own step, from waveforms."""
    import speechbrain as sb
    from speechbrain.dataio.batch import PaddedBatch
    from speechbrain.dataio.encoder import CategoricalEncoder

    hparams = load_recipe(yaml, backbone, max_length=frames)
    hparams["precision"] = precision
    labels = CategoricalEncoder()
    labels.update_from_iterable(range(N_CLASSES))
    brain = recipe_brain()(
        modules=hparams["modules"],
        classifier=hparams["classifier"],
        label_encoder=labels,
        opt_class=hparams["opt_class"],
        lr_annealing=hparams["lr_annealing"],
        loggers=[],
        selects=hparams["selects"],
        hparams=hparams,
        run_opts={"device": device, "noprogressbar": True},
    )
    brain.total_updates, brain.batch_sizes, brain.step = 10**6, [batch], 1
    brain.on_fit_start()
    brain.on_stage_start(sb.Stage.TRAIN, 1)
    brain.modules.train()
    clips = PaddedBatch(
        [
            {"id": str(i), "sig": torch.rand(160 * frames) - 0.5, "target": i}
            for i in range(batch)
        ]
    )
    facts = {
        "clips": batch,
        "trained": sum(brain.count_parameters().values()),
        "operations": count_step(
            lambda: brain.fit_batch(clips), hparams["encoder"]
        ),
    }
    return lambda: brain.fit_batch(clips), facts


def matmul(precision, size, device):
    """Makes products of large matrices: the peak that the machine reaches."""
    dtype = {"bf16": torch.bfloat16, "fp32": torch.float32}[precision]
    a, b = torch.randn(2, size, size, device=device).to(dtype)

    def run():
        for _ in range(3):
            a @ b

    return run, {"clips": 1}


def groups(options) -> dict[str, list[Contender]]:
    """Returns the contenders of each group."""
    sizes = {
        "backbone": options.backbone,
        "frames": options.frames,
        "device": options.device,
    }

    def contender(name, make, precision="bf16", **more):
        more = {"batch": options.batch, "precision": precision, **more}
        return Contender(name, f"{HERE}:{make}", sizes | more)

    def recipe(yaml, name=None, **more):
        return contender(name or yaml, "ours", yaml=yaml, **more)

    def peak(precision="bf16"):
        size = 256 if options.smoke else 4096
        more = {"precision": precision, "device": options.device, "size": size}
        return Contender(f"matmul {precision}", f"{HERE}:matmul", more)

    houlsby = "adapter_hou_par"
    found = {
        "Houlsby adapters: plain loop and recipe": [
            recipe(houlsby, "plain loop"),
            contender("recipe's step", "whole_step", yaml=houlsby),
            recipe(houlsby, "ours, fp32", precision="fp32"),
            peak(),
            peak("fp32"),
        ]
    }
    found["Mixtures of 7 adapters"] = [
        recipe("adapter_mhsa_par"),
        recipe("soft_moa"),
        recipe("dense_moa"),
        peak(),
    ]
    for number, yamls in enumerate(
        [("full_ft", "linear", "bitfit"), ("lora", "prefix", "dpt")], 1
    ):
        found[f"Methods, {number}"] = [
            recipe(yaml) for yaml in (houlsby, *yamls)
        ] + [peak()]
    found["Methods, 3"] = [recipe(houlsby), recipe("conformer_hou_par"), peak()]
    found["Clips a batch"] = [
        recipe(houlsby, f"batch of {batch}", batch=batch)
        for batch in options.batches
    ]
    if options.compile:
        found["torch.compile"] = [
            recipe(houlsby, "eager"),
            recipe(houlsby, "compiled", compiled=True),
        ]
    return found
