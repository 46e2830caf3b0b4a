"""Trained adapters as folders: written, opened, checked, shared."""
