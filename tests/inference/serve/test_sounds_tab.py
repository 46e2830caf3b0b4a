"""What is heard, as HTML and words."""

import base64

from speechbrain_petl.inference.label_files import label_texts
from speechbrain_petl.inference.serve.sounds_tab import image, links
from speechbrain_petl.inference.timeline import Span

from tests.inference.serve.conftest import EVIL


def test_html_holds_no_label(service, clips):
    recording, _ = service.timeline(clips["good"], "evil", threshold=0.0)
    spans = [Span("evil", 0.0, 1.0, label, 0.9) for label in EVIL]
    texts = label_texts(recording, spans)
    shown = image(texts.pop(".svg")) + links(texts)
    assert shown.count("<") == 1 + 2 * 4 and "onerror" not in shown
    drawing = base64.b64decode(shown.split("base64,")[1].partition('"')[0])
    assert b"&lt;img src=x" in drawing and b"<img" not in drawing
    assert b"good.wav" in drawing and b"/tmp" not in drawing
