#!/usr/bin/env python3
"""Trains a speaker model without a pretrained backbone on VoxCeleb1.

SpeechBrain's ECAPA-TDNN or ResNet, as they are or with transformation modules
(after the abstract of arXiv 2312.03324). All is as in train.py but for the
artefact, which is for adapters of a backbone that others have too.

To run this recipe, from its folder:
> python train_from_scratch.py from_scratch/ecapa_partitioned.yaml \\
>     --data_folder /path/to/VoxCeleb1
"""

import sys

from speechbrain_petl.training.launch import start
from train import run

if __name__ == "__main__":
    run(*start(sys.argv[1:]))
