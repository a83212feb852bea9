"""Small programs of many kinds, each with its recorder: `python -m demo.examples.gan`."""
