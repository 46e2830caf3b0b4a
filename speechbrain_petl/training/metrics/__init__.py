"""Metrics of tagging and of verification, over whole splits."""
