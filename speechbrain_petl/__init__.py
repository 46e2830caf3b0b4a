"""Parameter-efficient transfer learning of audio transformers."""

from pathlib import Path

__version__ = (Path(__file__).parent / "version.txt").read_text().strip()
