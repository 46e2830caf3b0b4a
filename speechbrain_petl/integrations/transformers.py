"""Merges an adapter into a stock classifier of transformers."""

import copy
import json
import os
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from speechbrain_petl.artefacts.self_check import probe_logits, probe_waveform
from speechbrain_petl.artefacts.tasks import CLASSIFICATION, TAGGING, task_of
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.integrations.extractors import make_extractor
from speechbrain_petl.integrations.stock import stock_copy
from speechbrain_petl.lobes.heads import NormedLinear
from speechbrain_petl.lobes.sites import find_backbone
from speechbrain_petl.utils.files import PACKAGE, replacing_folder
from torch import nn
from transformers import (
    AutoFeatureExtractor,
    AutoModelForAudioClassification,
    PreTrainedModel,
)

TOLERANCE = 1e-4
MARK = "speechbrain_petl.json"  # says that a folder was written here
WRITTEN = (
    MARK,
    "config.json",
    "model*.safetensors",
    "model.safetensors.index.json",
    "preprocessor_config.json",
)


def merge_to_transformers(trained: Trained, folder: str | os.PathLike) -> float:
    """Writes a stock classifier that equals an adapted model.

    The folder is one of stock transformers, without code of its own: the
    backbone with what was trained folded in, the head, the labels and the
    feature extractor, for ``pipeline("audio-classification", folder)``. Its
    class is the one that transformers has for the family, such as
    ``ASTForAudioClassification`` or ``Wav2Vec2ForSequenceClassification``.

    These classes have one pooling and one head each. Another pooling or head
    they cannot express, nor an adapter that is no change of weights.

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
        The largest difference of a logit, the feature extractors' included;
        see ``reads_clips_of`` for which clips.

    Raises
    ------
    ValueError
        If it cannot be expressed, or the difference exceeds 1e-4 of the
        largest logit; then nothing is written.
    """
    model = stock_classifier(trained)
    extractor, _ = make_extractor(trained.compute_features)
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


def reads_clips_of(trained: Trained) -> str:
    """Returns for which clips a stock classifier is equal, in words.

    Transformers' feature extractor of waveforms neither cuts clips nor fills
    them up, whereas ours gives all one length.
    """
    front_end = trained.compute_features
    if make_extractor(front_end)[1]:
        return "for clips of any length"
    seconds = front_end.clip_samples / front_end.sample_rate
    return (
        f"for clips of {seconds:g} s: others it reads as they are, where the "
        "adapted one cuts them or fills them up"
    )


class Form(NamedTuple):
    """What the head of a stock classifier can express.

    Arguments
    ---------
    words : str
        What it does.
    pooling : str
        Pooling of the lobe.
    head : type
        Class of the head.
    where : str
        How the head is named in a YAML.
    fill : callable
        Called with the stock classifier and the head.
    """

    words: str
    pooling: str
    head: type[nn.Module]
    where: str
    fill: Callable[[Any, Any], None]


def _fill_normed(model: Any, head: nn.Module) -> None:
    """Fills a LayerNorm and a linear layer."""
    if head.layernorm.eps != model.config.layer_norm_eps:
        raise ValueError(
            f"The head's LayerNorm has eps {head.layernorm.eps}, but a stock "
            f"AST has {model.config.layer_norm_eps} in all of them."
        )
    _fill(model.classifier, head, "head")


@torch.no_grad()
def _fill_projected(model: Any, head: nn.Module) -> None:
    """Fills two linear layers, the first of which changes nothing."""
    nn.init.eye_(model.projector.weight)
    nn.init.zeros_(model.projector.bias)
    _fill(model.classifier, head, "head")


NORMED = Form(
    "the mean of its [CLS] and distillation tokens, a LayerNorm and a linear "
    "layer",
    "cls_dist",
    NormedLinear,
    "speechbrain_petl.lobes.heads.NormedLinear",
    _fill_normed,
)
PROJECTED = Form(
    "the mean of its tokens and linear layers",
    "mean",
    nn.Linear,
    "torch.nn.Linear",
    _fill_projected,
)


def stock_classifier(trained: Trained) -> PreTrainedModel:
    """Converts an adapted model into transformers' classifier of its family."""
    lobe = trained.encoder.merge()
    config = copy.deepcopy(lobe.config)
    config.id2label = dict(enumerate(trained.labels))
    config.label2id = {label: i for i, label in enumerate(trained.labels)}
    config.problem_type = problem_type(trained)
    config.dtype = "float32"
    config.classifier_proj_size = lobe.config.hidden_size
    model = AutoModelForAudioClassification.from_config(config).eval()
    form = PROJECTED if hasattr(model, "projector") else NORMED
    _check_form(form, model, lobe.pooling, trained.classifier)
    _fill(find_backbone(model).model, stock_copy(lobe), "backbone")
    form.fill(model, trained.classifier)
    return model


def _check_form(form, model, pooling, head):
    """Refuses a pooling or a head that the stock class has not."""
    was = ""
    if pooling != form.pooling:
        was = f"pooling {pooling}"
    elif type(head) is not form.head:
        was = f"a {type(head).__name__}, which is not to be undone"
    if was:
        raise ValueError(
            f"A stock {type(model).__name__} classifies by {form.words}, but "
            f"this adapter was trained with {was}: train with '--pooling "
            f"{form.pooling}' and, in the YAML, 'classifier: !name:"
            f"{form.where}', or use 'speechbrain-petl export', which takes "
            "any model."
        )


def _fill(module: nn.Module, source: nn.Module, what: str) -> None:
    """Copies the tensors of a module of the same structure."""
    own, given = module.state_dict(), source.state_dict()
    for name, buffer in source.named_buffers():
        if name in own:  # the vector of time masking, which a lobe keeps apart
            given[name] = buffer
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
    front_end = trained.compute_features
    any_length = make_extractor(front_end)[1]
    probe = dict(trained.metadata["probe"])
    if not any_length:
        probe["samples"] = front_end.clip_samples
    wave = probe_waveform(probe["seed"], probe["samples"])
    expected = probe_logits(probe, *trained.modules)
    extractor = AutoFeatureExtractor.from_pretrained(folder)
    model = AutoModelForAudioClassification.from_pretrained(folder).eval()
    inputs = extractor(
        wave[0].numpy(),
        sampling_rate=front_end.sample_rate,
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
