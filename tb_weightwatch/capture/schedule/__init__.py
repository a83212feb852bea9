"""Which steps are recorded, and when maps are."""
