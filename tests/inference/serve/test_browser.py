"""The page in headless Chromium: upload, see the label."""

import json
import time

import pytest

from tests.inference.serve.browser import CHROMIUM, Browser
from tests.inference.serve.conftest import EVIL

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is here")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A browser."""
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


@pytest.fixture
def page(browser, url):
    """The page, just opened."""
    browser.asked.clear()
    browser.said.clear()
    browser.open(url)
    browser.until("!!document.querySelector('#ask')")
    return browser


def choose(page, task):
    """Chooses a task of the visible part."""
    page.run(
        "[...document.querySelectorAll('input[type=radio]')]"
        f".find(one => one.value == {json.dumps(task)}).click()"
    )


def send(page, where, path):
    """Uploads a file, and waits until it is there."""
    page.upload(f"#{where} input[type=file]", path)
    page.until(f"!!document.querySelector('#{where} button[aria-label=Clear]')")


def text(page, place):
    """Waits for the text of a field."""
    return page.until(f"document.querySelector('#{place} textarea').value")


def test_labels_and_a_timeline_of_hostile_names(page, url, service, clips):
    send(page, "sound", clips["good"])
    choose(page, "evil")
    page.click("#ask")
    (expected,) = service.predict(clips["good"], "evil")["heard"]
    assert text(page, "heard") == expected
    shown = page.until("document.querySelector('#scores').innerText")
    for label in EVIL:
        assert label in shown
    # With fields that are empty, as the artefact has it
    (span,) = service.timeline(clips["good"], "evil").spans
    page.click("#draw")
    page.until("!!document.querySelector('#picture img')")
    page.until(
        "document.querySelector('#spans').innerText"
        f".includes({json.dumps(expected)})"
    )
    table = page.run("document.querySelector('#spans').innerText")
    assert str(round(span.probability, 4)) in table
    page.run(
        "[...document.querySelectorAll('button[role=tab]')]"
        ".find(one => one.innerText == 'About').click()"
    )
    page.until("document.querySelector('#about').innerText.includes('<img')")
    # Nothing of all that was markup.
    assert page.run("document.title") == "What is heard"
    marks = "img[src=x], #about b, #scores b, #spans b, a[href^=javascript]"
    assert page.run(f"document.querySelectorAll('{marks}').length") == 0
    elsewhere = [
        one
        for one in page.asked
        if not one.startswith((f"{url}/", "data:", "blob:"))
    ]
    assert elsewhere == []


def test_an_error_is_a_sentence(page, clips):
    send(page, "sound", clips["text"])
    choose(page, "tags")
    page.click("#ask")
    page.until(
        "document.body.innerText.includes("
        "\"'text.wav' cannot be read as audio\")"
    )


def test_a_recording_of_the_microphone(page):
    choose(page, "tags")
    page.click("#sound button[aria-label='Record audio']")
    page.click("#sound button.record-button")
    page.until("!!document.querySelector('#sound button.stop-button')")
    time.sleep(1.0)  # of sound
    page.click("#sound button.stop-button")
    page.until("!!document.querySelector('#sound button[aria-label=Clear]')")
    for _ in range(30):  # as often as it takes until the sound is sent
        page.click("#ask")
        time.sleep(2.0)
        if page.run("document.querySelector('#heard textarea').value"):
            break
    assert text(page, "heard")


def test_speakers(page, clips):
    page.run(
        "[...document.querySelectorAll('button[role=tab]')]"
        ".find(one => one.innerText == 'Speakers').click()"
    )
    send(page, "one_voice", clips["good"])
    send(page, "another_voice", clips["good"])
    page.click("#compare")
    assert text(page, "said").startswith("same speaker (score ")
