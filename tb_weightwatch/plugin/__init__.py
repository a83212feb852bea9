"""TensorBoard's plugin: loader, thin routes, and the panel's files."""
