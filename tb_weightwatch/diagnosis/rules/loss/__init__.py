"""Rules about the loss link (codes 301 to 399)."""
