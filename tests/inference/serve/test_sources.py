"""Names of what is served."""

import pytest
from speechbrain_petl.inference.serve.sources import named_sources


def test_names_are_told_or_found():
    texts = ["results/birds/artefact", "owner/cats-v2", "a.b=x=y", "./a=b/c"]
    assert named_sources(texts) == {
        "birds": "results/birds/artefact",
        "cats-v2": "owner/cats-v2",
        "a.b": "x=y",
        "c": "./a=b/c",
    }
    assert named_sources(["artefact"]) == {"task": "artefact"}


def test_two_of_a_name():
    with pytest.raises(ValueError, match="the name 'birds': say NAME=ARTEFACT"):
        named_sources(["one/birds", "two/birds"])
