"""Tests that run TensorBoard, its loaders, or the command line."""
