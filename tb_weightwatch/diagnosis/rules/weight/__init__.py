"""Rules about the weight link (codes 701 to 799)."""
