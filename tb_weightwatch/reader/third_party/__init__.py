"""Converts third-party scalars and histograms to a History."""
