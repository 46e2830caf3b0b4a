"""Procedural sounds, small corpora made of them, and a miniature AST."""
