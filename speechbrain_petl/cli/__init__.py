"""The command ``speechbrain-petl``."""
