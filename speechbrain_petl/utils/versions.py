"""Versions of the packages that computed a result."""

import importlib.metadata
import platform

PACKAGES = (
    "speechbrain-petl",
    "speechbrain",
    "torch",
    "torchaudio",
    "transformers",
    "numpy",
)


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages, by name."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
