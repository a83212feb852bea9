"""Tests of the rules about the weight link, one file a rule."""
