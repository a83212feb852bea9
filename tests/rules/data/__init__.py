"""Tests of the rules about the data link, one file per rule."""
