"""Using what was trained; what stored artefacts name has its address here.

These addresses never move, whatever moves behind them.
"""

from speechbrain_petl.artefacts.backbones import locate
from speechbrain_petl.artefacts.pretrainer import ArtefactLoader
from speechbrain_petl.inference.bank import AdapterBank
from speechbrain_petl.inference.classifier import PETLClassifier
from speechbrain_petl.inference.loading import Unchanged
from speechbrain_petl.inference.speaker import Embedder, PETLSpeaker

__all__ = [
    "AdapterBank",
    "ArtefactLoader",
    "Embedder",
    "PETLClassifier",
    "PETLSpeaker",
    "Unchanged",
    "locate",
]
