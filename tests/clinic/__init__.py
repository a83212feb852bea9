"""The clinic: real trainings, sick and healthy, and what the rules say of them."""
