"""What is read from the user's objects: one step's tensors, the model, the batch."""
