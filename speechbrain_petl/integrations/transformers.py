"""Merges an adapter into a stock Hugging Face AST."""

import copy
import json
import os

import torch
from speechbrain_petl.artefacts.self_check import probe_logits, probe_waveform
from speechbrain_petl.artefacts.tasks import CLASSIFICATION, TAGGING, task_of
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.lobes.heads import NormedLinear
from speechbrain_petl.utils.files import PACKAGE, replacing_folder
from torch import nn
from transformers import ASTFeatureExtractor, ASTForAudioClassification

TOLERANCE = 1e-4
MARK = "speechbrain_petl.json"  # says that a folder was written here
WRITTEN = (
    MARK,
    "config.json",
    "model*.safetensors",
    "model.safetensors.index.json",
    "preprocessor_config.json",
)
RECIPE = (
    "train with '--pooling cls_dist' and, in the YAML, "
    "'classifier: !name:speechbrain_petl.lobes.heads.NormedLinear', or use "
    "'speechbrain-petl export', which takes any model"
)


def merge_to_transformers(trained: Trained, folder: str | os.PathLike) -> float:
    """Writes an ``ASTForAudioClassification`` that equals an adapted model.

    The folder is one of stock transformers, without code of its own: the
    backbone with what was trained folded in, the head, the labels and the
    feature extractor, for ``pipeline("audio-classification", folder)``.

    That class reads the mean of the [CLS] and distillation tokens through a
    LayerNorm and a linear layer; another pooling or head it cannot express,
    nor an adapter that is no change of weights.

    Arguments
    ---------
    trained : Trained
        A loaded artefact, on the CPU; left as it is.
    folder : str or path-like
        Where to; absent, empty, or written by this function, which is
        replaced at the end.

    Returns
    -------
    float
        The largest difference of a logit, the feature extractors' included.

    Raises
    ------
    ValueError
        If it cannot be expressed, or the difference exceeds 1e-4 of the
        largest logit; then nothing is written.
    """
    model = stock_model(trained)
    front_end = trained.compute_features
    extractor = ASTFeatureExtractor(
        feature_size=1,
        sampling_rate=front_end.sample_rate,
        num_mel_bins=model.config.num_mel_bins,
        max_length=front_end.max_length,
        mean=front_end.mean,
        std=front_end.std,
    )
    with replacing_folder(folder, MARK, WRITTEN) as new:
        model.save_pretrained(new)
        extractor.save_pretrained(new)
        (new / MARK).write_text(json.dumps({"format": PACKAGE}), "utf-8")
        return _compare(trained, new)


def problem_type(trained: Trained) -> str:
    """Returns what transformers calls a task: one label, or several.

    A pipeline takes a softmax or sigmoids by it. It knows no thresholds: those
    stay in the artefact.
    """
    names = {
        CLASSIFICATION: "single_label_classification",
        TAGGING: "multi_label_classification",
    }
    return names[task_of(trained.metadata)]


def stock_model(trained: Trained) -> ASTForAudioClassification:
    """Converts an adapted model into an ``ASTForAudioClassification``."""
    lobe = trained.encoder.merge()
    config = copy.deepcopy(lobe.config)
    head = trained.classifier
    if lobe.pooling != "cls_dist":
        raise ValueError(
            "A stock AST classifies by the mean of its [CLS] and distillation "
            f"tokens (pooling cls_dist), but this adapter was trained with "
            f"pooling {lobe.pooling}: {RECIPE}."
        )
    if not isinstance(head, NormedLinear):
        raise ValueError(
            "A stock AST's head is a LayerNorm and a linear layer, but this "
            f"adapter was trained with a {type(head).__name__}, and the "
            f"LayerNorm is not to be undone: {RECIPE}."
        )
    if head.layernorm.eps != config.layer_norm_eps:
        raise ValueError(
            f"The head's LayerNorm has eps {head.layernorm.eps}, but a stock "
            f"AST has {config.layer_norm_eps} in all of them."
        )
    config.id2label = dict(enumerate(trained.labels))
    config.label2id = {label: i for i, label in enumerate(trained.labels)}
    config.problem_type = problem_type(trained)
    config.dtype = "float32"
    model = ASTForAudioClassification(config).eval()
    _fill(model.base_model, lobe.model, "backbone")
    _fill(model.classifier, head, "head")
    return model


def _fill(module: nn.Module, source: nn.Module, what: str) -> None:
    """Copies the tensors of a module of the same structure."""
    own, given = module.state_dict(), source.state_dict()
    differ = sorted(own.keys() ^ given.keys())
    if differ:
        raise ValueError(
            f"The merged {what} is not of the stock structure: '{differ[0]}' "
            "is only on one side."
        )
    module.load_state_dict(given)


@torch.no_grad()
def _compare(trained, folder):
    """Returns the largest difference of a logit; raises if it matters."""
    probe = trained.metadata["probe"]
    wave = probe_waveform(probe["seed"], probe["samples"])
    expected = probe_logits(probe, *trained.modules)
    extractor = ASTFeatureExtractor.from_pretrained(folder)
    model = ASTForAudioClassification.from_pretrained(folder).eval()
    inputs = extractor(
        wave[0].numpy(),
        sampling_rate=trained.compute_features.sample_rate,
        return_tensors="pt",
    )
    difference = (model(**inputs).logits[0] - expected).abs().max().item()
    if not difference <= TOLERANCE * max(1.0, expected.abs().max().item()):
        raise ValueError(
            f"The merged model differs by {difference:.3g} from the adapted "
            "one, so nothing was written; use a version of transformers that "
            "setup.py allows."
        )
    return difference
