"""The papers' tables and figures: plans of many runs, resumable.

On the command line: ``speechbrain-petl experiments``.
"""
