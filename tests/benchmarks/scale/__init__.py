"""How cost grows with variables, parameters, steps and runs; `python -m tests.benchmarks.scale` measures all of it."""
