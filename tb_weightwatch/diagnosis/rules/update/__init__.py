"""Rules about the update link (codes 601 to 699)."""
