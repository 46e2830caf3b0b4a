"""The training loop of the recipes, and what a run leaves.

What a recipe's YAML and ``train.py`` name has its address here.
"""

from speechbrain_petl.training.base import PETLBrain
from speechbrain_petl.training.brain import AudioClassificationBrain
from speechbrain_petl.training.checkpointer import WholeCheckpointer
from speechbrain_petl.training.mixup import Mixup
from speechbrain_petl.training.schedules import multi_step
from speechbrain_petl.training.tagging import AudioTaggingBrain
from speechbrain_petl.training.verification_brain import (
    SpeakerVerificationBrain,
)

__all__ = [
    "AudioClassificationBrain",
    "AudioTaggingBrain",
    "Mixup",
    "PETLBrain",
    "SpeakerVerificationBrain",
    "WholeCheckpointer",
    "multi_step",
]
