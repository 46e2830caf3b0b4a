"""Procedural sounds, small corpora made of them, and a miniature AST."""

from pathlib import Path

#: Folder of the miniature AST.
BACKBONE = Path(__file__).parent / "ast-mini"
