"""Attacks on the whole: trainings, files and the server; `python -m tests.harm` makes the table of docs/harm.md."""
