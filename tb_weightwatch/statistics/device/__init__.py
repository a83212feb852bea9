"""Statistics of tensors on a device (GPU, TPU), computed by TensorFlow where the tensors are."""
