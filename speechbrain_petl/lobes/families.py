"""The lobe of a checkpoint, chosen by its family.

A family is one lobe, one row of ``table.FAMILIES`` and one row here.
"""

import importlib
from typing import Any

from speechbrain_petl.lobes.backbone import Backbone, construct
from speechbrain_petl.lobes.checkpoints import read_config
from speechbrain_petl.lobes.front_end import FrontEnd
from speechbrain_petl.lobes.table import ADD

WAV2VEC2 = "speechbrain_petl.lobes.wav2vec2.Wav2Vec2"
#: Model types of Hugging Face, each with the class of its lobe.
LOBES = {
    "audio-spectrogram-transformer": "speechbrain_petl.lobes.ast.AST",
    "data2vec-audio": WAV2VEC2,
    "hubert": WAV2VEC2,
    "unispeech": WAV2VEC2,
    "unispeech-sat": WAV2VEC2,
    "wav2vec2": WAV2VEC2,
    "wavlm": WAV2VEC2,
    "whisper": "speechbrain_petl.lobes.whisper.Whisper",
}


def load_backbone(
    source: str, revision: str | None = None, **options: Any
) -> Backbone:
    """Loads a backbone into the lobe of its family.

    With it a YAML written for wav2vec 2.0 takes the ``--source`` of any other
    family of which its options make sense. In a YAML::

        backbone: !apply:speechbrain_petl.lobes.load_backbone
            source: microsoft/wavlm-base-plus
            max_length: 500

    Arguments
    ---------
    source : str
        Model of the Hugging Face hub, or local folder in its format; the
        network is not used for a folder.
    revision : str, optional
        Branch, tag or commit on the hub.
    **options : dict
        Options of the lobe, such as ``max_length`` and ``pooling``.

    Returns
    -------
    Backbone
        The lobe, such as ``AST`` or ``Wav2Vec2``.

    Raises
    ------
    ValueError
        If the source cannot be read, its family has no lobe, or the lobe has
        no such option.

    Example
    -------
    >>> from transformers import HubertConfig, HubertModel
    >>> folder = getfixture("tmpdir").join("hubert")
    >>> config = HubertConfig(hidden_size=48, num_hidden_layers=1)
    >>> HubertModel(config).save_pretrained(folder)
    >>> type(load_backbone(str(folder), max_length=50)).__name__
    'Wav2Vec2'
    """
    family = read_config(str(source), revision).get("model_type")
    if family not in LOBES:
        raise ValueError(
            f"'{source}' is of the family '{family}', which has no lobe (there "
            f"are {', '.join(LOBES)}): {ADD} Then add its lobe to LOBES in "
            "speechbrain_petl/lobes/families.py."
        )
    module, _, name = LOBES[family].rpartition(".")
    lobe = getattr(importlib.import_module(module), name)
    return construct(lobe, {"source": source, "revision": revision, **options})


def front_end_of(backbone: Backbone, **options: Any) -> FrontEnd:
    """Returns the front end that a backbone was trained with.

    In a YAML::

        compute_features: !apply:speechbrain_petl.lobes.front_end_of
            backbone: !ref <backbone>

    Arguments
    ---------
    backbone : Backbone
        As loaded.
    **options : dict
        Options of the front end; see ``Backbone.front_end``.

    Raises
    ------
    ValueError
        If the front end has no such option.
    """
    return backbone.front_end(**options)
