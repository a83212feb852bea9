"""Tests of the rules about the gradient link, one file a rule."""
