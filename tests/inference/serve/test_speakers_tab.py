"""A comparison in words."""

from speechbrain_petl.inference.serve.speakers_tab import in_words


def test_words(service, clips):
    found = service.compare(clips["good"], clips["good"], "voices")
    said = in_words(found)
    assert said.startswith("same speaker (score ")
    assert said.endswith(", threshold -0.7500)")
    other = {**found, "same": False}
    assert in_words(other).startswith("other speaker (score ")
