"""Helpers of several tests: synthetic histories and runs, training loops, processes."""
