"""From a corpus on the disk to batches of waveforms."""
