"""Tests of the suspects: the table of causes, the facts, the ranking."""
