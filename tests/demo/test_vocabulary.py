"""The labels of the imitated speech corpora."""

from speechbrain_petl.demo.vocabulary import COMMANDS, INTENTS, transcribe


def test_there_are_as_many_labels_as_in_the_originals():
    assert len(set(COMMANDS)) == len(COMMANDS) == 35
    assert COMMANDS[9] == "go"
    assert len(set(INTENTS)) == len(INTENTS) == 31
    assert all(len(intent) == 3 for intent in INTENTS)
    actions, things, places = map(set, zip(*INTENTS))
    assert (len(actions), len(things), len(places)) == (6, 14, 4)


def test_every_intent_has_a_sentence_of_its_own():
    sentences = [transcribe(*intent) for intent in INTENTS]
    assert len(set(sentences)) == len(INTENTS)
    assert not any("none" in sentence for sentence in sentences)
    assert any("," in sentence for sentence in sentences)
