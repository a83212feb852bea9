"""From one observed step to rows of numbers, computed beside training."""
