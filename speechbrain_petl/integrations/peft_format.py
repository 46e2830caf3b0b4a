"""LoRA in the file format of Hugging Face's ``peft`` library, both ways.

Its files name modules as transformers does; ours name roles. Files with the
names of transformers before 5.9 are read as well, which ``peft`` itself no
longer does.
"""

import copy
import functools
import json
import math
import os
import re
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from speechbrain_petl.artefacts.self_check import probe_waveform
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.integrations.stock import (
    stock_copy,
    stock_model,
    stock_paths,
)
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.share import share
from speechbrain_petl.utils.files import PACKAGE, replacing_folder

TOLERANCE = 1e-4
# Its parts of a LoRA layer, and ours
PARTS = {"lora_A": "down", "lora_B": "up"}
MARK = "speechbrain_petl.json"  # says that a folder was written here
WRITTEN = (
    MARK,
    "adapter_config.json",
    "adapter_model.safetensors",
    "head.safetensors",
)
# As transformers named a layer's modules before 5.9; ours to look up a site.
OLD_NAMES = {
    "attention.attention.query": "query",
    "attention.attention.key": "key",
    "attention.attention.value": "value",
    "attention.output.dense": "output",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "layernorm_before": "norm_mhsa",
    "layernorm_after": "norm_ffn",
}
OLD_LAYER = re.compile(r"encoder\.layer\.(\d+)\.(.+)")
HEADS = ("classifier.", "projector.")  # of transformers' classifiers
# Keys of a configuration that leave plain LoRA what it is; others have to be
# at nothing.
PLAIN = {
    "auto_mapping",
    "base_model_name_or_path",
    "exclude_modules",
    "inference_mode",
    "init_lora_weights",
    "layers_pattern",
    "layers_to_transform",
    "lora_alpha",
    "lora_dropout",
    "megatron_core",
    "modules_to_save",
    "peft_type",
    "peft_version",
    "qalora_group_size",
    "r",
    "revision",
    "target_modules",
    "task_type",
    "use_rslora",
}
PLAIN_STARTS = (True, False, None, "gaussian")


def from_peft(folder: str | os.PathLike, backbone: Backbone) -> PETLModel:
    """Makes an adapted model from PEFT's files.

    Arguments
    ---------
    folder : str or path-like
        Folder with ``adapter_config.json`` and ``adapter_model.safetensors``.
    backbone : Backbone
        Lobe of the model that the adapter was trained on.

    Returns
    -------
    PETLModel
        Model with a filled ``LoRA`` at each site. Tensors outside of the
        backbone, such as those of a classifier, are left out.

    Raises
    ------
    ValueError
        If it is not plain LoRA, or names a module that the backbone has not.
    """
    folder = Path(folder)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        if not (folder / name).is_file():
            raise ValueError(f"'{folder}' holds no PEFT adapter: no {name}.")
    config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    odd = [
        f"{key} {value}"
        for key, value in config.items()
        if (value and key not in PLAIN and (key, value) != ("bias", "none"))
        or (key == "peft_type" and value != "LORA")
        or (key == "init_lora_weights" and value not in PLAIN_STARTS)
    ]
    if odd:
        raise ValueError(
            f"'{folder}' is not plain LoRA ({', '.join(odd)}): load it with "
            "the peft library."
        )
    stock = stock_copy(backbone)
    keys = {path: key for key, path in stock_paths(stock).items()}
    prefixes = ("base_model.model.", f"{stock.base_model_prefix}.", "encoder.")
    delta = {}
    for name, tensor in load_file(folder / "adapter_model.safetensors").items():
        if name.removeprefix(prefixes[0]).startswith(HEADS):
            continue
        found = _our_name(name, keys, prefixes)
        if found is None:
            raise ValueError(
                f"'{folder}' has '{name}', which is no module of this "
                f"{type(backbone).__name__}."
            )
        delta[found] = tensor
    rank = config["r"]
    root = rank**0.5 if config.get("use_rslora") else rank
    lora = functools.partial(
        LoRA, rank=rank, alpha=config["lora_alpha"] / root * rank
    )
    sites = [n.removesuffix(".down.weight") for n in delta if ".down." in n]
    whole = [n for n in delta if not n.endswith((".down.weight", ".up.weight"))]
    model = PETLModel(
        backbone,
        {"{}[{}]".format(*site.split(".")): lora for site in sorted(sites)},
        unfrozen=sorted(whole),
    )
    model.load_delta(delta)
    return model


def _our_name(name, keys, prefixes):
    """Returns the name by role of a tensor in PEFT's file, if it has one."""
    for prefix in ("", *prefixes):  # of the models that hold the stock one
        name = name.removeprefix(prefix)
        path, _, part = name.rpartition(".")
        path, _, letter = (
            path.rpartition(".") if "lora_" in path else (path, "", "")
        )
        key = keys.get(path)
        old = OLD_LAYER.fullmatch(path)
        if old and old[2] in OLD_NAMES:
            key = f"{OLD_NAMES[old[2]]}.{old[1]}"
        if key and letter in ("", *PARTS):
            return ".".join(filter(None, (key, PARTS.get(letter), part)))
    return None


def to_peft(trained: Trained, folder: str | os.PathLike) -> float:
    """Writes an adapter for ``PeftModel.from_pretrained(model, folder)``.

    The model is the stock one: an ``ASTModel``, a ``Wav2Vec2Model``, the
    ``encoder`` of a ``WhisperModel``. The head, which is no part of it, goes
    beside it, into ``head.safetensors``. ``peft`` knows nothing of clip
    lengths: give it a model with the artefact's, as the lobes cut it.

    Arguments
    ---------
    trained : Trained
        A loaded artefact whose insertions are all ``LoRA``.
    folder : str or path-like
        Where to; absent, empty, or written by this function, which is
        replaced.

    Returns
    -------
    float
        The largest difference of a token between PEFT's model and ours.

    Raises
    ------
    ValueError
        If ``peft`` is missing, its layers change nothing in this stock model,
        or the adapter is not plain LoRA of one rank and scale, with whole
        LayerNorms trained or none.
    """
    try:
        from peft import LoraConfig, PeftModel, get_peft_model
    except ImportError as error:
        raise ValueError(
            "PEFT's format needs its library: pip install peft."
        ) from error
    encoder = trained.encoder
    names = {id(t): name for name, t in encoder.named_tensors().items()}
    layers = {
        names[id(m.down.weight)].removesuffix(".down.weight"): m
        for m in encoder.modules()
        if isinstance(m, LoRA)
    }
    rank, scale = _one_kind(layers)
    source = trained.metadata["backbone"]["source"]
    stock = stock_model(encoder, source)
    paths = stock_paths(stock)
    tensors, saved = {}, set()
    for name, tensor in encoder.delta().items():
        key, _, part = name.rpartition(".")
        site = key.removesuffix(".down").removesuffix(".up")
        if site in layers and site != key:
            letter = "A" if key.endswith(".down") else "B"
            tensors[f"{paths[site]}.lora_{letter}.{part}"] = tensor
        elif key in paths:
            tensors[f"{paths[key]}.{part}"] = tensor
            saved.add(paths[key])
        else:
            raise ValueError(
                f"'{name}' is not LoRA, and PEFT's format cannot hold it; "
                "'speechbrain-petl export' writes any model as ONNX."
            )
    config = LoraConfig(
        r=rank,
        lora_alpha=scale * rank,
        target_modules=sorted(paths[key] for key in layers),
        modules_to_save=sorted(saved) or None,
        base_model_name_or_path=source,
    )
    with replacing_folder(folder, MARK, WRITTEN) as new:
        get_peft_model(copy.deepcopy(stock), config).save_pretrained(
            new, save_embedding_layers=False
        )
        (new / "README.md").unlink(missing_ok=True)  # a form to fill in
        _overwrite(new / "adapter_model.safetensors", tensors)
        head = trained.classifier.state_dict()
        head = {name: t.contiguous() for name, t in head.items()}
        save_file(head, new / "head.safetensors")
        (new / MARK).write_text(json.dumps({"format": PACKAGE}), "utf-8")
        return _compare(encoder.model, stock, PeftModel, new)


@torch.no_grad()
def _compare(lobe, stock, kind, folder):
    """Returns the largest difference of a token; raises if it matters."""
    size = math.prod(lobe.input_shape)
    inputs = probe_waveform(0, size).view(1, *lobe.input_shape)
    bare, peft_lobe = share(lobe), share(lobe)
    bare.model = stock
    without = bare.tokens(inputs)
    peft_lobe.model = kind.from_pretrained(stock, folder).eval()
    expected, found = lobe.tokens(inputs), peft_lobe.tokens(inputs)
    difference = (found - expected).abs().max().item()
    if difference <= TOLERANCE * max(1.0, expected.abs().max().item()):
        return difference
    if torch.equal(found, without):
        raise ValueError(
            f"In a stock {type(stock).__name__} PEFT's layers change nothing, "
            "since it reads the weights of its projections and never calls "
            "them, so nothing was written; 'speechbrain-petl merge' and "
            "'export' to ONNX keep what was trained."
        )
    raise ValueError(
        f"PEFT's model differs by {difference:.3g} from the adapted one, "
        "so nothing was written; use a version of peft that setup.py "
        "allows."
    )


def _one_kind(layers):
    """Returns the one rank and scale of all LoRA layers."""
    kinds = {(m.down.weight.shape[0], m.scale) for m in layers.values()}
    if len(kinds) != 1:
        raise ValueError(
            "PEFT's format holds LoRA layers of one rank and scale, but this "
            f"adapter has {sorted(kinds) or 'no LoRA layer'}."
        )
    return kinds.pop()


def _overwrite(path, tensors):
    """Puts tensors under the names of PEFT's file; they have to be its own."""
    own = load_file(path)
    given = {
        f"base_model.model.{name}": tensor.detach().cpu().contiguous()
        for name, tensor in tensors.items()
    }
    differ = sorted(own.keys() ^ given.keys())
    if differ:
        raise ValueError(
            f"PEFT's file and this adapter do not have the same tensors: "
            f"'{differ[0]}' is only on one side; a LayerNorm, say, is saved "
            "whole or not at all."
        )
    save_file(given, path, metadata={"format": "pt"})
