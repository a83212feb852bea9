"""Reads runs through a TensorBoard data provider, for the plugin."""
