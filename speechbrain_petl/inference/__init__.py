"""Using what was trained; what stored artefacts name has its address here.

These addresses never move, whatever moves behind them.
"""

from speechbrain_petl.artefacts.backbones import locate
from speechbrain_petl.artefacts.pretrainer import ArtefactLoader
from speechbrain_petl.inference.bank import AdapterBank
from speechbrain_petl.inference.classifier import PETLClassifier, Unchanged

__all__ = [
    "AdapterBank",
    "ArtefactLoader",
    "PETLClassifier",
    "Unchanged",
    "locate",
]
