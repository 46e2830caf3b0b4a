"""The share of each expert of a mixture, layer by layer."""

from pathlib import Path

import torch
from matplotlib.figure import Figure
from speechbrain_petl.dataio.datasets import read_clip, read_manifest
from speechbrain_petl.experiments.reporting.figures.model import load_model
from speechbrain_petl.experiments.reporting.figures.style import new_figure
from speechbrain_petl.lobes.moa import DenseMoA, SoftMoA

from speechbrain.dataio.preprocess import AudioNormalizer


@torch.no_grad()
def expert_shares(
    run: str | Path, data_folder: str, n_clips: int = 100
) -> torch.Tensor:
    """Computes the mean weight of each expert over tokens and test clips.

    Of Soft-MoA these are the combine weights, summed over an expert's slots;
    of Dense-MoA the router's.

    Arguments
    ---------
    run : str or Path
        The output folder of a finished run.
    data_folder : str
        The corpus.
    n_clips : int
        How many test clips, spread over the manifest.

    Returns
    -------
    torch.Tensor
        Shares [layer, expert]; each row sums to 1.

    Raises
    ------
    ValueError
        If the run's model has no mixture of adapters.
    """
    run = Path(run)
    trained = load_model(run)
    mixtures = [
        module
        for module in trained.encoder.modules()
        if isinstance(module, (DenseMoA, SoftMoA))
    ]
    if not mixtures:
        raise ValueError(
            f"The model of {run} is no mixture of adapters: it has no experts "
            "to draw."
        )
    shares = torch.zeros(len(mixtures), _n_experts(mixtures[0]))

    def add(layer):
        """Adds up the weights of a layer's tokens."""

        def hook(module, inputs):
            """Receives the input of the mixture [1, T, d]."""
            weights = module.weights(inputs[0])[0].mean(dim=0)
            shares[layer] += (
                weights.flatten(1).sum(1) if weights.ndim > 1 else weights
            )

        return hook

    for layer, mixture in enumerate(mixtures):
        mixture.register_forward_pre_hook(add(layer))
    manifest = str(run / "manifest" / "test.json")
    entries = list(read_manifest(manifest, data_folder).values())
    chosen = entries[:: max(1, len(entries) // n_clips)][:n_clips]
    normalizer = AudioNormalizer(trained.compute_features.sample_rate)
    for entry in chosen:
        wav = read_clip(entry, normalizer)
        trained.encoder(trained.compute_features(wav[None]))
    return shares / len(chosen)


def _n_experts(mixture):
    """Returns the number of experts of a mixture."""
    return len(next(mixture.experts.parameters()))


def draw_shares(shares: torch.Tensor, title: str) -> Figure:
    """Draws shares [layer, expert] as a map with a number in each cell.

    Arguments
    ---------
    shares : torch.Tensor
        As from ``expert_shares``.
    title : str
        Of the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    layers, experts = shares.shape
    figure = new_figure(1.6 + 0.55 * experts, 1.4 + 0.32 * layers)
    axes = figure.subplots()
    most = float(shares.max())
    image = axes.imshow(shares.numpy(), cmap="Greys", vmin=0, aspect="auto")
    axes.set_xticks(range(experts), range(1, experts + 1))
    axes.set_yticks(range(layers), range(1, layers + 1))
    axes.set_xlabel("expert")
    axes.set_ylabel("layer")
    for layer in range(layers):
        for expert in range(experts):
            share = float(shares[layer, expert])
            axes.text(
                expert,
                layer,
                f"{share:.2f}",
                ha="center",
                va="center",
                fontsize=7,
                color="white" if share > most / 2 else "black",
            )
    figure.colorbar(image, label="mean combine weight")
    axes.set_title(title, fontsize=10)
    return figure
