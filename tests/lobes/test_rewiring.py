"""Rewired modules become stock again, and the backbone stays stock."""

from copy import deepcopy

from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.rewiring import rewire, undo
from speechbrain_petl.lobes.sites import find_backbone


def test_undone_a_model_is_the_stock_one(wavlm, whisper):
    for stock in (wavlm, whisper):
        model = deepcopy(stock)
        found = find_backbone(model)
        kinds = [type(module) for module in stock.modules()]
        assert rewire(found) and not rewire(found)
        assert [type(module) for module in model.modules()] != kinds
        undo(found)
        assert [type(module) for module in model.modules()] == kinds
        assert list(model.state_dict()) == list(stock.state_dict())


def test_the_stock_model_stays_stock(wavlm, whisper):
    PETLModel(wavlm), PETLModel(whisper)
    kinds = {type(m).__name__ for m in (*wavlm.modules(), *whisper.modules())}
    assert {"WavLMAttention", "WhisperEncoderLayer"} <= kinds
    assert not {"CallingAttention", "WhisperLayer", "FeedForward"} & kinds
