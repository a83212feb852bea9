"""What tb_weightwatch costs, as ratios measured side by side; run by hand: `python -m tests.benchmarks`."""
