"""Trained adapters for other libraries, and theirs for this one."""
