"""Cells run as jobs, here or on a cluster."""
