"""Rules about the activations link (codes 201 to 299)."""
