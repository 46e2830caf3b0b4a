"""A cohort: training utterances by which scores are normalized."""

from speechbrain.dataio.dataset import (
    DynamicItemDataset,
    FilteredSortedDynamicItemDataset,
)


def cohort_of(dataset: DynamicItemDataset, each: int) -> DynamicItemDataset:
    """Picks some utterances of each speaker, the first by their ids.

    Arguments
    ---------
    dataset : DynamicItemDataset
        Training set, whose entries have a ``label``, the speaker.
    each : int
        How many of a speaker; all of one who has fewer.

    Returns
    -------
    DynamicItemDataset
        What the training set gives, of these utterances.

    Raises
    ------
    ValueError
        If the number is less than 1.

    Example
    -------
    >>> entries = {f"{who}{k}": {"label": who} for who in "ab" for k in "123"}
    >>> cohort_of(DynamicItemDataset(entries), 2).data_ids
    ['a1', 'a2', 'b1', 'b2']
    """
    if each < 1:
        raise ValueError(
            f"cohort_utterances is {each}: a cohort needs one or more of each "
            "speaker."
        )
    speakers: dict[str, list[str]] = {}
    for id_ in sorted(dataset.data_ids):
        speakers.setdefault(dataset.data[id_]["label"], []).append(id_)
    chosen = [id_ for ids in speakers.values() for id_ in ids[:each]]
    return FilteredSortedDynamicItemDataset(dataset, sorted(chosen))
