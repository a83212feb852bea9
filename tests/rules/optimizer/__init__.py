"""Tests of the rules about the optimizer link, one file a rule."""
