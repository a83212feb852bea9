"""Tests that train Keras models."""
