"""Labels that are classes, and those that cannot be."""

import re

import pytest
from speechbrain_petl.dataio.sounds import (
    MOST_LINES,
    Sound,
    clean_name,
    fault_of_name,
    faults_of_labels,
    look_alikes,
    one_list,
)


def sounds(*labels):
    """One sound of each label, and its copy."""
    return [
        Sound(f"{i}.wav", (label,) if label else (), origin=f"line {i}")
        for i, label in enumerate([*labels, *labels])
    ]


@pytest.mark.parametrize(
    "labels",
    [
        ["dog", "cat"],
        ["0", "1", "2"],  # spoken digits
        ["<script>alert(1)</script>", "'; DROP TABLE"],
        ["犬", "кошка"],
        ["{data_root}", "__class__"],
    ],
)
def test_labels_that_are_classes(labels):
    assert faults_of_labels(sounds(*labels), False) == []


@pytest.mark.parametrize(
    "labels, fault",
    [
        (["0.5", "1", "nan"], "no quantities"),
        (["-1", "1"], "no quantities"),
        ([str(i) for i in range(200)], "no quantities"),
        (["dog"], "there is only one, 'dog'"),
        ([], "there is none"),
        (["dog", "", "cat"], "2 sounds have no label: line 1, line 4"),
        (["a\nb", "c"], r"'a\\nb' has a control character: rename"),
        (["a => b", "c"], "has ' => ' in it"),
        (["x" * 300, "c"], "more than 200 characters"),
        (["\udcff", "c"], "not in UTF-8"),
        (["\u202egpj", "c"], "reverses the direction"),
    ],
)
def test_labels_that_are_not(labels, fault):
    (found,) = faults_of_labels(sounds(*labels), False)
    assert re.search(fault, found), found


def test_a_sound_of_no_class_belongs_to_tagging():
    assert faults_of_labels(sounds("dog", ""), True) == []


def test_names_are_composed():
    assert clean_name(" o\u0308 ") == "\xf6"
    assert fault_of_name("plain name.wav") is None


def test_classes_that_look_alike():
    assert look_alikes(["dog", "cat", "!!", "??"]) == []
    (note,) = look_alikes(["Dog", "dog ", "cat"])
    assert "'Dog' and 'dog '" in note


def test_a_list_of_problems_is_bounded():
    said = str(one_list("x", [f"p{i}" for i in range(99)], "Mend it."))
    assert said.count("\n") == MOST_LINES + 2
    assert "and 69 more." in said and said.endswith("Mend it.")
