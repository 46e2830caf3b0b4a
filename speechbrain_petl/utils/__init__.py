"""Files, messages and versions: what every room may use."""
