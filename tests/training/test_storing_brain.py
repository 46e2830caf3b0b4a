"""StoringBrain: which stages hold states, and which do not."""

import pytest
from speechbrain_petl.training.stored_options import Options
from speechbrain_petl.training.storing_brain import StoringBrain

import speechbrain as sb


class Store:
    """A store that gives what it is told."""

    encoder = sb.nnet.linear.Linear(2, input_size=2)

    def __init__(self, found):
        self.found = found

    def replace(self, *_):
        """Returns states in place of waveforms."""
        return self.found


def brain(found, storable=frozenset(sb.Stage), alters=False):
    """A brain without modules that would store."""
    made = StoringBrain({}, {"data_folder": "none"})
    made.store, made.storable = Store(found), storable
    made.alters_clips = lambda: alters
    return made


@pytest.fixture
def dataset():
    """A dataset of one clip."""
    return sb.dataio.dataset.DynamicItemDataset({"a": {"wav": "a.wav"}})


@pytest.mark.parametrize("stage", sb.Stage)
def test_a_stage_whose_states_are_there(dataset, stage):
    one = brain(("states", {"num_workers": 0}))
    assert one.store_states(dataset, {}, stage) == (
        "states",
        {"num_workers": 0},
    )
    assert one.stored == {stage}


@pytest.mark.parametrize(
    "options, said",
    [
        ({"found": None}, "give stored_draws for a number"),
        ({"found": 1, "alters": True}, "altered before the front end"),
        ({"found": 1, "storable": frozenset()}, ""),
    ],
)
def test_what_is_not_stored(dataset, options, said, caplog):
    one = brain(**options)
    kwargs = {"batch_size": 2}
    found = one.store_states(dataset, kwargs, sb.Stage.TRAIN)
    assert found == (dataset, kwargs)
    assert not one.stored and said in caplog.text
    assert one.store_states([1], kwargs, sb.Stage.TRAIN) == ([1], kwargs)


def test_nothing_is_stored_by_default():
    assert StoringBrain({}, {}).store is None
    assert Options.of(None, None, 0) == Options(None, None, 0.0)
