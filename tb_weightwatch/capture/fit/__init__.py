"""Recording inside `model.fit`."""
