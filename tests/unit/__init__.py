"""Tests that import no TensorFlow: `pytest -m unit` ends in seconds."""
