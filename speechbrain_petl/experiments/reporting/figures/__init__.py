"""The papers' figures, one kind per file; each returns a matplotlib figure."""
