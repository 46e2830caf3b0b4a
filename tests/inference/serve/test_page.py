"""What is on the page."""

import pytest

from tests.inference.serve.conftest import EVIL

pytest.importorskip("gradio", reason="the extra 'serve' brings gradio")


def endpoints(page):
    """Names of all public endpoints, and of their parameters."""
    return {
        name: [p["parameter_name"] for p in facts["parameters"]]
        for name, facts in page.get_api_info()["named_endpoints"].items()
    }


def test_the_api_is_documented(service, tmp_path):
    from speechbrain_petl.inference.serve.page import make_page

    page = make_page(service, tmp_path)
    assert endpoints(page) == {
        "/predict": ["clip", "task", "top"],
        "/timeline": ["recording", "task", "window", "hop", "threshold", "gap"],
        "/verify": ["one", "other", "task", "threshold"],
        "/tasks": [],
    }
    assert "github.com" not in str(page.get_api_info())


def test_only_what_can_be_asked_is_there(artefacts, tiny_folder, tmp_path):
    from speechbrain_petl.inference.serve.page import make_page
    from speechbrain_petl.inference.serve.service import Service

    voices = Service({"v": artefacts["voices"]}, backbone=tiny_folder)
    found = endpoints(make_page(voices, tmp_path))
    assert set(found) == {"/verify", "/tasks"}


def test_labels_are_no_markup(service):
    from speechbrain_petl.inference.serve.page import about

    text = about(service)
    assert "<img" not in text and "&lt;img src=x" in text
    assert r"\*\*dog\*\*" in text and r"\[x\](javascript" in text
    assert all(label not in text for label in EVIL)
