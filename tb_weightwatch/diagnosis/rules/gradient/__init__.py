"""Rules about the gradient link (codes 401 to 499)."""
