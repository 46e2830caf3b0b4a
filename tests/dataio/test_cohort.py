"""A cohort of training utterances."""

import pytest
from speechbrain_petl.dataio.cohort import cohort_of

from speechbrain.dataio.dataset import DynamicItemDataset

ENTRIES = {f"{who}{k}": {"label": who} for who in "ba" for k in (3, 1, 2)}


def test_the_first_of_each_speaker_by_their_ids():
    dataset = DynamicItemDataset({**ENTRIES, "c9": {"label": "c"}})
    assert cohort_of(dataset, 2).data_ids == ["a1", "a2", "b1", "b2", "c9"]


def test_none_of_each_is_no_cohort():
    with pytest.raises(ValueError, match="cohort_utterances is 0"):
        cohort_of(DynamicItemDataset(ENTRIES), 0)
