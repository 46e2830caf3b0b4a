"""Artefacts of all kinds, and a server of them in a thread."""

import os
import threading

import numpy as np
import pytest
import soundfile

# What a stranger may call a class
EVIL = [
    "<img src=x onerror=\"document.title='hacked'\">",
    "a & <b>bold</b> **dog**",
    "[x](javascript:alert(1)) $y$.json",
]


@pytest.fixture(scope="session")
def artefacts(make_artefact, write_speaker, tmp_path_factory):
    """Artefacts by task: plain, evil, tags, voices."""
    from speechbrain_petl.artefacts.restate import restate

    root = tmp_path_factory.mktemp("served")
    made = {task: root / task for task in ("plain", "evil", "tags")}
    make_artefact(made["plain"], labels=["dog", "cat", "rain"])
    restate(made["plain"], made["plain"], {"unknown": {"threshold": 0.999}})
    make_artefact(made["evil"], labels=EVIL)
    tagging = {"task": "tagging", "decision": {"thresholds": [0.0, 0.0, 1.0]}}
    make_artefact(made["tags"], labels=["bark", "siren", "hum"], facts=tagging)
    return {**made, "voices": write_speaker()[0]}


@pytest.fixture(scope="session")
def service(artefacts, tiny_folder):
    """All of them, with small limits."""
    from speechbrain_petl.inference.serve.limits import Limits
    from speechbrain_petl.inference.serve.service import Service

    limits = Limits(megabytes=0.5, seconds=5.0, windows=100)
    return Service(artefacts, limits, tiny_folder)


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Sounds by name: good, another, text, long, large."""
    folder = tmp_path_factory.mktemp("sounds")
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 6 * 16000)
    soundfile.write(folder / "good.wav", noise[:19200], 16000)
    soundfile.write(folder / "another.flac", noise[-9000:] * 0.1, 8000)
    soundfile.write(folder / "long.flac", noise[: 8000 * 6], 8000)
    soundfile.write(folder / "large.wav", noise, 48000, "DOUBLE")
    (folder / "text.wav").write_text("No audio.")
    return {path.stem: str(path) for path in folder.iterdir()}


@pytest.fixture(scope="session")
def url(service, tmp_path_factory):
    """Where a server in a thread is."""
    pytest.importorskip("gradio", reason="the extra 'serve' brings gradio")
    import uvicorn
    from speechbrain_petl.inference.serve.server import _listen, make_app

    before = os.environ.get("GRADIO_TEMP_DIR")
    app = make_app(service, tmp_path_factory.mktemp("uploads"))
    listener = _listen("127.0.0.1", 0)
    config = uvicorn.Config(
        app, log_level="error", ws="none", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
    os.environ.pop("GRADIO_TEMP_DIR", None)
    if before is not None:
        os.environ["GRADIO_TEMP_DIR"] = before
