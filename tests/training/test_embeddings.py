"""Embeddings of utterances by windows."""

import pytest
import torch
from speechbrain_petl.training.embeddings import (
    embed_utterances,
    mean_of_windows,
)

from tests.training.speakers import Raw

WAVS = torch.arange(1.0, 11.0).repeat(2, 1)


def embed(feats, shares):
    """The samples themselves."""
    assert len(feats) == len(shares)
    return feats


def test_each_utterance_has_its_own_windows():
    wavs = WAVS.clone()
    wavs[1, 6:] = 0
    lens = torch.tensor([1.0, 0.6])
    found = embed_utterances(wavs, lens, Raw(3), embed)
    assert found.shape == (2, 3, 4)
    assert found[0, :, 0].tolist() == [1, 4, 7]
    assert found[1, :, 0].tolist() == [1, 2, 3], "none reads the padding"
    alone = embed_utterances(WAVS[1:, :6], None, Raw(3), embed)
    assert torch.equal(found[1:], alone)


def test_a_short_utterance_is_one_window_that_counts_for_all():
    calls = []

    def once(feats, shares):
        calls.append(len(feats))
        return embed(feats, shares)

    found = embed_utterances(WAVS[:1, :3], None, Raw(5), once)
    assert calls == [1] and found.shape == (1, 5, 4)
    assert found[0].tolist() == [[1, 2, 3, 0]] * 5


def test_without_a_number_all_of_it_is_covered_and_averaged():
    found = embed_utterances(WAVS, None, Raw(None), embed)
    unit = [
        torch.nn.functional.normalize(WAVS[0, s : s + 4], dim=0)
        for s in (0, 3, 6)
    ]
    torch.testing.assert_close(found[0, 0], torch.stack(unit).mean(dim=0))
    assert found.shape == (2, 1, 4)


def test_windows_run_in_portions(monkeypatch):
    monkeypatch.setattr("speechbrain_petl.training.embeddings.AT_ONCE", 2)
    sizes = []

    def count(feats, shares):
        sizes.append(len(feats))
        return embed(feats, shares)

    embed_utterances(WAVS, None, Raw(3), count)
    assert sizes == [2, 2, 2]


def test_each_window_votes_alike():
    loud = torch.tensor([[10.0, 0.0], [0.0, 0.1]])
    assert mean_of_windows(loud).tolist() == pytest.approx([0.5, 0.5])
