"""The modules of an artefact, and its facts."""

from dataclasses import FrozenInstanceError

import pytest
from speechbrain_petl.artefacts.trained import Trained
from speechbrain_petl.lobes.features import ASTFbank
from torch import nn


def test_modules_come_in_the_order_of_their_use():
    front_end, encoder, head = ASTFbank(48), nn.Identity(), nn.Linear(2, 3)
    trained = Trained({"labels": ["a", "b"]}, front_end, encoder, head)
    assert trained.modules == (front_end, encoder, head)
    assert trained.labels == ["a", "b"]
    with pytest.raises(FrozenInstanceError):
        trained.classifier = nn.Identity()
