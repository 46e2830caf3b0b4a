"""Outputs of a model for all clips of a split, in the order of its manifest."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from statistics import median

import torch
from speechbrain_petl.adapt.sounds import Sounds
from speechbrain_petl.adapt.task import Given
from torch import nn
from tqdm import tqdm

from speechbrain.dataio.dataloader import make_dataloader

BATCH = 16
FEW = 500  # clips, which take no time to speak of


@dataclass(frozen=True)
class Outputs:
    """What a model gives for the clips of a split.

    Arguments
    ---------
    ids : list of str
        Names of the N clips.
    values : torch.Tensor
        Embeddings or logits [N, d].
    targets : torch.Tensor
        Targets of the ``Task``.
    seconds : float
        Time of the model itself, without reading the files, if all batches took
        as long as the median one.
    whole : float
        Time of all, reading included.
    """

    ids: list[str]
    values: torch.Tensor
    targets: torch.Tensor
    seconds: float
    whole: float

    @property
    def given(self) -> Given:
        """Returns values and targets."""
        return Given(self.values, self.targets)


@torch.no_grad()
def outputs_of(
    sounds: Sounds,
    split: str,
    front_end: nn.Module,
    model: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    device: str = "cpu",
    quiet: bool = False,
    only: Collection[str] | None = None,
) -> Outputs:
    """Runs a model over the clips of a split.

    Arguments
    ---------
    sounds : Sounds
        The prepared sounds.
    split : str
        Name of the split.
    front_end : FrontEnd
        From waveforms [B, samples] and relative lengths [B] to inputs of the
        model. Modules should be in eval mode.
    model : callable
        From these and the lengths to outputs [B, d].
    device : str
        Where it is computed.
    quiet : bool
        If True, shows no progress.
    only : collection of str, optional
        Names of the clips to run over; all by default.

    Returns
    -------
    Outputs
    """
    dataset = sounds.dataset(split, front_end.sample_rate)
    if only is not None:
        keep = {"id": lambda name: name in only}
        dataset = dataset.filtered_sorted(key_test=keep)
    # A generator of its own: nothing is drawn from the global one.
    loader = make_dataloader(
        dataset, batch_size=BATCH, generator=torch.Generator()
    )
    ids, values, paces, began = [], [], [], time.monotonic()
    bar = tqdm(
        total=len(dataset),
        unit="clip",
        desc=split,
        leave=False,
        disable=True if quiet else None,
    )
    with bar:
        for batch in loader:
            start = time.monotonic()
            wavs, lens = (x.to(device) for x in batch.sig)
            found = model(front_end(wavs, lens), lens).float().cpu()
            paces.append((time.monotonic() - start) / len(batch.id))
            ids += batch.id
            values.append(found)
            bar.update(len(batch.id))
    place = {name: row for row, name in enumerate(sounds.entries[split])}
    targets = sounds.targets(split)[[place[name] for name in ids]]
    whole = time.monotonic() - began
    # Of the median batch: other work that delays a few tells nothing.
    seconds = median(paces) * len(ids)
    return Outputs(ids, torch.cat(values), targets, seconds, whole)


def foresee(
    sounds: Sounds,
    front_end: nn.Module,
    model: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    device: str,
    minutes: float,
    spent: float,
) -> str | None:
    """Returns a sentence if all clips take longer than the time allows.

    Arguments
    ---------
    sounds, front_end, model, device
        See ``outputs_of``. Some clips are tried, unless there are few.
    minutes : float
        What was given, for everything.
    spent : float
        Seconds that are over.
    """
    n_clips = sum(sounds.sizes().values())
    if n_clips <= FEW:
        return None
    some = set(list(sounds.entries["train"])[: 3 * BATCH])
    tried = outputs_of(sounds, "train", front_end, model, device, True, some)
    seconds = tried.seconds / len(tried.ids) * n_clips
    if spent + seconds <= 60 * minutes:
        return None
    return (
        f"After {spent / 60:.1f} min, the backbone takes about "
        f"{seconds / 60:.1f} more for {n_clips:,} clips, and --minutes is "
        f"{minutes:g}: a linear probe is trained all the same, and nothing "
        "else. Give more minutes, a table of fewer clips (--metadata) or a "
        "smaller --source."
    )
