"""Gradio's components, held tight."""

import asyncio
import json

import pytest
from speechbrain_petl.inference.serve import parts
from speechbrain_petl.inference.serve.service import Refused

gr = pytest.importorskip("gradio", reason="the extra 'serve' brings gradio")


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page that says where a file is, and the number of its function."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with parts.blocks("t", tmp_path) as page:
        audio, task = parts.audio("Sound"), parts.choice(["a", "b"])
        parts.add_endpoint(lambda one, two: [one], [audio, task], "where", "?")
    return page


def sent(page, *values):
    """What a request gives."""
    (number,) = page.fns
    found = asyncio.run(page.process_api(page.fns[number], list(values)))
    data = found["data"][0]
    return getattr(data, "root", data)


def file(path):
    """A file as requests name it."""
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


def test_files_of_elsewhere_are_refused(page, tmp_path):
    (tmp_path / "x").mkdir()
    own = tmp_path / "x" / "a.wav"
    own.write_text("secret")
    other = tmp_path.parent / "other.wav"
    other.write_text("secret")
    (tmp_path / "link.wav").symlink_to(other)
    assert sent(page, file(own), "a") == [str(own)]
    for bad in (
        *(other, tmp_path / "link.wav", tmp_path / "x/../../other.wav"),
        *("/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:9/a.wav"),
        *("https://example.com/a.wav", tmp_path, "a\0b"),
    ):
        with pytest.raises(gr.Error, match="Upload the audio itself"):
            sent(page, file(bad), "a")
        # Whatever the component, and however deep
        with pytest.raises(gr.Error, match="Upload the audio itself"):
            sent(page, file(own), file(bad))
        with pytest.raises(gr.Error, match="Upload the audio itself"):
            sent(page, file(own), {"x": [json.loads(json.dumps(file(bad)))]})


def test_a_refusal_is_text():
    def refuse(name):
        raise Refused(f"No '{name}'.")

    with pytest.raises(gr.Error) as error:
        parts.asked(refuse, "<img src=x onerror=alert(1)>")
    said = error.value.message
    assert said == "No '&lt;img src=x onerror=alert(1)&gt;'."


@pytest.mark.parametrize("text", ["x", "nan", "1e999", "<b>"])
def test_fields_hold_numbers(text):
    with pytest.raises(Refused, match="is no number"):
        parts.filled(text)


def test_nobody_is_told_that_it_is_used(page, monkeypatch):
    assert not page.analytics_enabled
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "True")
    parts.gradio()
    assert not gr.analytics.analytics_enabled()


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gradio", None)
    with pytest.raises(
        ValueError, match=r"pip install 'speechbrain-petl\[serve"
    ):
        parts.gradio()
