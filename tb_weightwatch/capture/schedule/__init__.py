"""Which steps are recorded, what recording may cost, and at which steps maps and tensors are recorded."""
