"""The modules that a recipe is made of.

A model is ``PETLModel(AST(source), insertions, unfrozen)``: a backbone, and
wrappers such as ``Parallel`` or ``LoRA`` at named sites of it, with adapters
such as ``Bottleneck`` inside. ``speechbrain_petl.lobes.heads`` has heads.

Every name is imported when it is first used, so that a front end or a head
does not wait for transformers.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "AST": "ast",
    "ASTFbank": "features",
    "AddShared": "legacy",
    "Backbone": "backbone",
    "Bottleneck": "adapters",
    "Conformer": "conformer",
    "Convpass": "adapters",
    "DeepPrompts": "prompts",
    "DenseMoA": "moa",
    "EmbeddingHead": "heads",
    "FrontEnd": "front_end",
    "InputPrompt": "prompts",
    "LAdapters": "learners",
    "Ladder": "ladder",
    "Learner": "learners",
    "LoRA": "lora",
    "NormedLinear": "heads",
    "PEFTLayer": "peft",
    "PETLModel": "petl",
    "Parallel": "insertion",
    "ParallelOnInput": "ipet",
    "ParallelShared": "legacy",
    "PassingPrompts": "prompts",
    "Prefix": "prefix",
    "PrefixRows": "prefix",
    "Prompts": "prompts",
    "RepAdapter": "rep_adapter",
    "ScaleShift": "scale_shift",
    "Sequential": "insertion",
    "SoftMoA": "moa",
    "SplitEncoder": "split_encoder",
    "Tap": "ipet",
    "Waveforms": "waveforms",
    "Wav2Vec2": "wav2vec2",
    "WeightedSum": "learners",
    "Whisper": "whisper",
    "WhisperFbank": "whisper_fbank",
    "Wrapper": "wrapper",
    "front_end_of": "families",
    "load_backbone": "families",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Imports a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Lists the public names."""
    return __all__
