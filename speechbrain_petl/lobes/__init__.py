"""The modules that a recipe is made of.

A model is ``PETLModel(AST(source), insertions, unfrozen)``: a backbone, and
wrappers such as ``Parallel`` or ``LoRA`` at named sites of it, with adapters
such as ``Bottleneck`` inside. ``speechbrain_petl.lobes.heads`` has heads.
"""

from speechbrain_petl.lobes import heads
from speechbrain_petl.lobes.adapters import Bottleneck, Convpass
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.lobes.conformer import Conformer
from speechbrain_petl.lobes.families import front_end_of, load_backbone
from speechbrain_petl.lobes.features import ASTFbank
from speechbrain_petl.lobes.front_end import FrontEnd
from speechbrain_petl.lobes.insertion import Parallel, Sequential
from speechbrain_petl.lobes.ipet import ParallelOnInput, Tap
from speechbrain_petl.lobes.legacy import AddShared, ParallelShared
from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.moa import DenseMoA, SoftMoA
from speechbrain_petl.lobes.peft import PEFTLayer
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.prefix import Prefix, PrefixRows
from speechbrain_petl.lobes.prompts import (
    DeepPrompts,
    InputPrompt,
    PassingPrompts,
    Prompts,
)
from speechbrain_petl.lobes.share import share
from speechbrain_petl.lobes.split_encoder import SplitEncoder
from speechbrain_petl.lobes.wrapper import Wrapper

__all__ = [
    "AST",
    "ASTFbank",
    "AddShared",
    "Backbone",
    "Bottleneck",
    "Conformer",
    "Convpass",
    "DeepPrompts",
    "DenseMoA",
    "FrontEnd",
    "InputPrompt",
    "LoRA",
    "PEFTLayer",
    "PETLModel",
    "Parallel",
    "ParallelOnInput",
    "ParallelShared",
    "PassingPrompts",
    "Prefix",
    "PrefixRows",
    "Prompts",
    "Sequential",
    "SoftMoA",
    "SplitEncoder",
    "Tap",
    "Wrapper",
    "front_end_of",
    "heads",
    "load_backbone",
    "share",
]
