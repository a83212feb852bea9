"""Attacks on the whole: trainings, files and the server."""
