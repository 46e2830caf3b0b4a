"""A page on which trained adapters are tried, and its API."""
