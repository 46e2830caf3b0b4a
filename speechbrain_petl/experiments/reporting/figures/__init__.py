"""The papers' figures, one kind a file; each gives a matplotlib figure."""
