"""From a folder of sounds to an adapter, in one call."""
