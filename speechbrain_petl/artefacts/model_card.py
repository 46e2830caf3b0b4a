"""The model card that goes with an artefact, for people and for the hub."""

from collections.abc import Mapping
from typing import Any

from huggingface_hub import EvalResult, ModelCardData
from speechbrain_petl.artefacts.data_facts import excerpt
from speechbrain_petl.artefacts.tasks import TASKS, task_of
from speechbrain_petl.utils.messages import markdown, printable
from speechbrain_petl.utils.metric import metric_of

BODY = """\
# {title}

A parameter-efficient adapter of [{backbone}]({link}), trained on {corpus} with
[SpeechBrain](https://speechbrain.github.io) and `speechbrain-petl`. This folder
holds the {size} that were trained, and no copy of the backbone.

| | |
|---|---|
| Method | {method} |
| Trained parameters | {trainable} |
| Backbone | {backbone}{revision} |
| Input | {seconds:.2f} s of mono audio at {rate} Hz; {long} |
{decides}
{metrics}

## How to use

{usage}{local} Both read
this folder as data and run none of its code. The weights are safetensors, and
are checked on loading against `artefact.json`, a recorded probe included.

SpeechBrain's own interfaces load it too, by `from_hparams`. That constructs
the objects that `hyperparams.yaml` names, which can be any code: use it for
artefacts of people you trust.

## Training

{training}

{data}The numbers are of one run.{labels}

## License

{license} The backbone and the data have licenses of their own.
"""


def model_card(metadata: Mapping[str, Any], license: str | None = None) -> str:
    """Writes ``README.md``, with the metadata block that the hub reads.

    Arguments
    ---------
    metadata : mapping
        An artefact's ``artefact.json``.
    license : str, optional
        A license identifier of the hub, such as ``cc-by-4.0``, for what was
        trained. Without one the card says that none was chosen.

    Returns
    -------
    str
        Markdown, in which names and labels are text and nothing else.
    """
    backbone, features = metadata["backbone"], metadata["features"]
    training, scores = metadata["training"], metadata["metrics"]
    metric, task = metric_of(training), TASKS[task_of(metadata)]
    source, corpus = backbone["source"], printable(training["corpus"])
    on_hub = "/" in source
    title = f"{printable(metadata['method'])} on {corpus}"
    data = ModelCardData(
        library_name="speechbrain",
        pipeline_tag=task.verb,
        license=license or "other",
        license_name=None if license else "none-chosen",
        base_model=source if on_hub else None,
        base_model_relation="adapter" if on_hub else None,
        tags=[task.verb, "speechbrain", "adapter", "petl"],
        model_name=title,
        eval_results=[
            EvalResult(
                task_type=task.verb,
                dataset_type=corpus.lower().replace(" ", "-"),
                dataset_name=corpus,
                metric_type=printable(metric.name),
                metric_value=scores[metric.name],
            )
        ]
        if metric.name in scores
        else None,
    )
    local = (
        ""
        if on_hub
        else f" Where the backbone\n{markdown(source)} is not found by itself, "
        'name its folder: `backbone="/path/to/it"` (`--backbone`).'
    )
    body = BODY.format(
        title=markdown(title),
        backbone=markdown(source),
        link=f"https://huggingface.co/{source}" if on_hub else "#training",
        revision=f" at {markdown(backbone['revision'])}"
        if backbone["revision"]
        else "",
        corpus=markdown(corpus),
        method=markdown(metadata["method"]),
        size=_size(metadata["tensors"]["bytes"]),
        trainable=f"{sum(metadata['trainable'].values()):,}",
        seconds=features["max_length"] / 100,
        rate=features["sample_rate"],
        usage=task.usage,
        decides=f"| Classes | {len(metadata['labels'])} |"
        if task.labelled
        else "\n".join(
            f"| {markdown(name.capitalize())} | {markdown(value)} |"
            for name, value in metadata["decision"].items()
        ),
        long=_long_clips(features.get("windows")),
        metrics="\n".join(
            f"| {markdown(name.replace('_', ' ').capitalize())} | "
            f"{f'{value:.4f}' if isinstance(value, float) else value} |"
            for name, value in scores.items()
        ),
        local=local,
        data=_data(metadata),
        training="\n".join(
            f"- {markdown(name)}: {markdown(value)}"
            for name, value in training["hyperparameters"].items()
        ),
        labels=f" Classes: {', '.join(map(markdown, metadata['labels']))}."
        if task.labelled
        else "",
        license=(
            f"What was trained: {markdown(license)}."
            if license
            else "Whoever trained this has not chosen a license for it yet."
        ),
    )
    return f"---\n{data.to_yaml()}\n---\n\n{body}"


def _data(metadata):
    """Says which data it was, and whether all of them."""
    folder = metadata["training"].get("data", {}).get("folder")
    parts = [
        f"Data folder: {markdown(folder)}." if folder else "",
        f"**{markdown(excerpt(metadata))}**" if excerpt(metadata) else "",
    ]
    text = " ".join(filter(None, parts))
    return f"{text}\n\n" if text else ""


def _long_clips(windows):
    """Says what is read of long clips: a number of windows, or None."""
    if windows == 1:
        return "of longer clips a part"
    number = "" if windows is None else f"{windows} "
    return f"longer clips by {number}windows"


def _size(n_bytes):
    """Bytes for people: ``2.0 MB``.

    Example
    -------
    >>> _size(2000000)
    '2.0 MB'
    """
    for unit in ("bytes", "kB", "MB"):
        if n_bytes < 1000:
            break
        n_bytes /= 1000
    return (
        f"{n_bytes:.0f} {unit}" if unit == "bytes" else f"{n_bytes:.1f} {unit}"
    )
