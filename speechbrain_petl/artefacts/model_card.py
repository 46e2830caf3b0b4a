"""The model card that goes with an artefact, for people and for the hub."""

from huggingface_hub import EvalResult, ModelCardData

BODY = """\
# {title}

A parameter-efficient adapter of [{backbone}]({link}), trained on {corpus} with
[SpeechBrain](https://speechbrain.github.io) and `speechbrain-petl`. This folder
holds the {size} that were trained, and no copy of the backbone.

| | |
|---|---|
| Method | `{method}` |
| Trained parameters | {trainable} |
| Backbone | `{backbone}`{revision} |
| Input | {seconds:.2f} s of mono audio at {rate} Hz; longer clips by windows |
| Classes | {n_classes} |
{metrics}

## How to use

```python
from speechbrain_petl.inference import PETLClassifier

classifier = PETLClassifier.from_hparams(source="<this folder or hub id>")
posteriors, score, index, label = classifier.classify_file("clip.wav")
print(label[0], score.exp().item())
```

or `speechbrain-petl predict <this folder or hub id> clip.wav`. SpeechBrain's
own `EncoderClassifier.from_hparams` loads it too.{local}

Loading constructs the objects that `hyperparams.yaml` names, as SpeechBrain
does: load artefacts of people you trust. The weights are safetensors, and are
checked on loading against `artefact.json`, a recorded probe included.

## Training

{training}

The numbers are of one run. Classes: {labels}.

## Licence

{licence} The backbone and the data have licences of their own.
"""


def model_card(metadata: dict, licence: str | None = None) -> str:
    """Writes ``README.md``, with the metadata block that the hub reads.

    Arguments
    ---------
    metadata : dict
        An artefact's ``artefact.json``.
    licence : str, optional
        A licence identifier of the hub, such as ``cc-by-4.0``, for what was
        trained. Without one the card says that none was chosen.

    Returns
    -------
    str
        Markdown.
    """
    backbone, features = metadata["backbone"], metadata["features"]
    training, scores = metadata["training"], metadata["metrics"]
    source, corpus = backbone["source"], training["corpus"]
    on_hub = "/" in source
    title = f"{metadata['method']} on {corpus}"
    data = ModelCardData(
        library_name="speechbrain",
        pipeline_tag="audio-classification",
        license=licence or "other",
        license_name=None if licence else "none-chosen",
        base_model=source if on_hub else None,
        base_model_relation="adapter" if on_hub else None,
        tags=["audio-classification", "speechbrain", "adapter", "petl"],
        model_name=title,
        eval_results=[
            EvalResult(
                task_type="audio-classification",
                dataset_type=corpus.lower().replace(" ", "-"),
                dataset_name=corpus,
                metric_type="accuracy",
                metric_value=scores["accuracy"],
            )
        ],
    )
    lines = []
    for name, value in scores.items():
        shown = f"{value:.4f}" if isinstance(value, float) else value
        lines.append(f"| {name.replace('_', ' ').capitalize()} | {shown} |")
    options = training["hyperparameters"]
    local = (
        ""
        if on_hub
        else f" Where the backbone\n`{source}` is not found by itself, name "
        f'folder: `overrides={{"ast_source": "/path/to/{source}"}}`.'
    )
    body = BODY.format(
        title=title,
        backbone=source,
        link=f"https://huggingface.co/{source}" if on_hub else "#training",
        revision=f" at `{backbone['revision']}`"
        if backbone["revision"]
        else "",
        corpus=corpus,
        method=metadata["method"],
        size=_size(metadata["tensors"]["bytes"]),
        trainable=f"{sum(metadata['trainable'].values()):,}",
        seconds=features["max_length"] / 100,
        rate=features["sample_rate"],
        n_classes=len(metadata["labels"]),
        metrics="\n".join(lines),
        local=local,
        training="\n".join(f"- {k}: {v}" for k, v in options.items()),
        labels=", ".join(metadata["labels"]),
        licence=(
            f"What was trained: `{licence}`."
            if licence
            else "Whoever trained this has not chosen a licence for it yet."
        ),
    )
    return f"---\n{data.to_yaml()}\n---\n\n{body}"


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
