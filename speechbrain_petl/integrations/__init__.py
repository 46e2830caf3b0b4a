"""Trained adapters as ONNX, stock transformers models and PEFT files."""
