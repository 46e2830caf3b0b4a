"""Options of stored states, from YAML."""

import pytest
from speechbrain_petl.training.stored_options import Options


def test_options_with_sense():
    assert Options.of("bf16", 3, 20) == Options("bf16", 3, 20.0)
    assert Options.of(None, None, 0).precision is None


@pytest.mark.parametrize(
    "options, message",
    [
        (("fp16", None, 10), "stored_states is null, fp32 or bf16"),
        (("fp32", 0, 10), "how many augmented"),
        ((None, 2, 10), "stored_states is null, so that nothing"),
        ((None, None, -1), "states_gb is -1"),
    ],
)
def test_options_without_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Options.of(*options)
