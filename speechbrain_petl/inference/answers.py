"""What a task says of a clip, as data for JSON."""

from typing import Any

from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.inference.mixed_batch import Prediction


def as_data(
    prediction: Prediction, trained: Trained, top: int | None = None
) -> dict[str, Any]:
    """Returns a prediction as plain data.

    Arguments
    ---------
    prediction : Prediction
        What a task says of a clip.
    trained : Trained
        The task.
    top : int, optional
        Number of labels; by default those that the clip is given, which of a
        tagger may be none.

    Returns
    -------
    dict
        ``predictions``, a list of ``label`` and ``probability``, the likeliest
        first; ``task``, if it has a name; ``unknown``, if a training has
        calibrated what is no sound of any class.
    """
    labels = trained.labels
    probabilities = prediction.posteriors.exp()
    shown = prediction.given
    if top:
        shown = probabilities.topk(min(top, len(labels))).indices.tolist()
    found: dict[str, Any] = {"task": prediction.task} if prediction.task else {}
    if trained.unknown_below is not None:
        score = float(prediction.score.exp())
        found["unknown"] = score < trained.unknown_below
    found["predictions"] = [
        {"label": labels[i], "probability": round(probabilities[i].item(), 6)}
        for i in shown
    ]
    return found
