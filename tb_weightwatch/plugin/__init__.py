"""TensorBoard's plugin: its loader, its routes and the panel's files."""
