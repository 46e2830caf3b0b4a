"""Parameter-efficient transfer learning of audio transformers."""
