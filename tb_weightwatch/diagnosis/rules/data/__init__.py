"""Rules about the data link (codes 101 to 199)."""
