"""Recording in a hand-written training loop."""
