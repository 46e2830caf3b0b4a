"""The versions that a result records."""

import platform

from speechbrain_petl.utils import versions as module
from speechbrain_petl.utils.versions import versions


def test_what_is_installed_and_what_is_not(monkeypatch):
    monkeypatch.setattr(module, "PACKAGES", ("torch", "no-such-package"))
    found = versions()
    assert found["python"] == platform.python_version()
    assert found["torch"][0].isdigit()
    assert found["no-such-package"] == "not installed"
