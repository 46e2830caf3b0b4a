"""The page of a training, above all with names that want to act."""

import json
import re
from html.parser import HTMLParser
from shutil import copy

import pytest
from speechbrain_petl.adapt.session import train_folder

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
)


class Tags(HTMLParser):
    """Collects the tags of a page, and what is written in it."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = set(), [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def hostile_folder(sounds_folder, tmp_path_factory):
    """Classes whose names are markup, templates and style."""
    root = tmp_path_factory.mktemp("hostile")
    for number, source in enumerate(sorted(sounds_folder.iterdir())):
        if source.is_dir() and number < len(HOSTILE) + 1:
            label = HOSTILE[number % len(HOSTILE)].replace("/", "∕")
            (root / label).mkdir(exist_ok=True)
            for file in source.rglob("*.*"):
                name = f"{number}<b onclick=alert(2)>'\" {file.name}"
                copy(file, root / label / name)
    return root


@pytest.fixture
def report(request_for, hostile_folder, tmp_path):
    """The page and the data of a training on them."""
    train_folder(request_for(data_folder=str(hostile_folder)), str)
    return (
        (tmp_path / "out/report.html").read_text("utf-8"),
        json.loads((tmp_path / "out/report.json").read_text("utf-8")),
    )


def test_names_are_shown_and_do_nothing(report):
    page, facts = report
    labels = [label.replace("/", "∕") for label in HOSTILE]
    assert sorted(facts["classes"]) == sorted(labels)
    tags = Tags(page)
    assert not tags.tags & {"script", "b onclick", "iframe", "object", "link"}
    assert not [name for name, _ in tags.attributes if name.startswith("on")]
    for label in labels:
        assert label in tags.text, "it is shown as it is written"
    assert "49" not in re.findall(r"[^\d.](\d+)\{%", tags.text)
    urls = [v for name, v in tags.attributes if name in ("src", "href")]
    assert all(
        v.startswith(("data:image/png", "data:audio/ogg", "#")) for v in urls
    )
    policy = dict(tags.attributes)["content"]
    assert "default-src 'none'" in page and "script-src" not in policy

    # What it says is what was found.
    assert sum(map(sum, facts["confusion"])) == facts["n_test"]
    right = sum(row[i] for i, row in enumerate(facts["confusion"]))
    assert right == facts["n_correct"]
    assert facts["accuracy"] == pytest.approx(right / facts["n_test"])
    assert facts["interval"][0] <= facts["accuracy"] <= facts["interval"][1]
    assert len(facts["mistakes"]) == min(12, facts["n_test"] - right)
    players = len(facts["mistakes"]) + len(facts["doubtful_labels"])
    assert page.count("<audio controls") == players
    assert page.count("data:image/png") == players
    assert f"{100 * facts['accuracy']:.1f} %" in tags.text
    assert facts["tried"][0]["name"] == "linear"
    curve = facts["learning_curve"]
    assert [one["clips_per_class"] for one in curve][:2] == [1, 2]
