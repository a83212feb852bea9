"""Recording inside `model.fit`: a train function that also returns the step's tensors, and their layout."""
