"""Rules about the optimizer link (codes 501 to 599)."""
