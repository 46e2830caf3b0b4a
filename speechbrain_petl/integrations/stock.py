"""Stock models of transformers out of lobes, whose models may be rewired."""

import copy

import torch
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.rewiring import undo
from speechbrain_petl.lobes.share import direct_tensors, share
from speechbrain_petl.lobes.sites import find_backbone
from torch import nn


def stock_copy(lobe: Backbone) -> nn.Module:
    """Returns a lobe's model without rewiring; it shares all tensors.

    Example
    -------
    >>> from transformers import WhisperConfig, WhisperModel
    >>> from speechbrain_petl.lobes.whisper import Whisper
    >>> sizes = {"d_model": 48, "encoder_layers": 1, "decoder_layers": 1}
    >>> heads = {"encoder_attention_heads": 4, "decoder_attention_heads": 4}
    >>> folder = getfixture("tmpdir").join("whisper")
    >>> WhisperModel(WhisperConfig(**sizes, **heads)).save_pretrained(folder)
    >>> type(stock_copy(Whisper(str(folder))).layers[0]).__name__
    'WhisperEncoderLayer'
    """
    model = share(lobe.model)
    undo(find_backbone(model))
    return model


@torch.no_grad()
def stock_model(encoder: PETLModel, source: str) -> nn.Module:
    """Makes a stock model of an adapted one's backbone, without wrappers.

    Arguments
    ---------
    encoder : PETLModel
        Adapted lobe.
    source : str
        Name of the checkpoint, for the configuration.

    Returns
    -------
    torch.nn.Module
        New model of the stock class, with the tensors of the backbone, those
        included that were trained.
    """
    model = encoder.model.model
    config = copy.deepcopy(model.config)
    config.name_or_path = source  # not where it is on this machine
    stock = type(model)(config).eval()
    tensors = encoder.named_tensors()
    for name, tensor in PETLModel(stock).named_tensors().items():
        if name in tensors:  # all but what only time masking reads
            tensor.copy_(tensors[name])
    return stock


def stock_paths(model: nn.Module) -> dict[str, str]:
    """Returns where sites are in a stock model, by their names.

    Arguments
    ---------
    model : torch.nn.Module
        Stock model, not rewired.

    Returns
    -------
    dict of str to str
        Paths of the sites that have tensors of their own.

    Example
    -------
    >>> from transformers import ASTConfig, ASTModel
    >>> paths = stock_paths(ASTModel(ASTConfig(num_hidden_layers=1)))
    >>> paths["query.0"]
    'layers.0.attention.q_proj'
    """
    places = {
        tensor.data_ptr(): path
        for path, module in model.named_modules()
        for tensor in direct_tensors(module)
    }
    return {
        site.key: places[tensor.data_ptr()]
        for site in PETLModel(model).sites
        for tensor in direct_tensors(site.module)
    }
