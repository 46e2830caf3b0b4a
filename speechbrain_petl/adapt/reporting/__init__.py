"""The report of a training: what it found, for people and for programs."""
