"""Reading the user's objects: the tensors of one step, the model and its settings, the batch."""
