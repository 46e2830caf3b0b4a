"""t-SNE of a model's embeddings."""

import numpy as np
import soundfile
import torch
from speechbrain_petl.experiments.reporting.figures.families import COLORS
from speechbrain_petl.experiments.reporting.figures.model import load_model
from speechbrain_petl.experiments.reporting.figures.tokens import (
    draw_embeddings,
    embed,
    flatten,
)

from tests.experiments.reporting.figures.drawn import overlapping


def test_embeddings_are_the_models_own(run):
    found = embed(run, str(run), n_classes=2)
    assert found.labels == ["a", "b", "a", "b"]
    assert found.cls.shape == found.pooled.shape == (4, 192)
    trained = load_model(run)
    wav = torch.from_numpy(soundfile.read(run / "0.wav", dtype="float32")[0])
    feats = trained.compute_features(wav[None])
    tokens = trained.encoder.model.tokens(feats)
    torch.testing.assert_close(found.cls[0], tokens[0, 0])
    torch.testing.assert_close(found.pooled[0], tokens[0].mean(dim=0))
    points = flatten(found.pooled)
    assert np.array_equal(points, flatten(found.pooled)), "seeded"
    panel = (found.labels, points)
    figure = draw_embeddings({"lora": panel, "two": panel}, "t-SNE")
    assert figure.axes[0].title.get_color() == COLORS["LoRA"]
    assert not overlapping(figure)
