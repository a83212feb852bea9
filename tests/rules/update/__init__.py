"""Tests of the rules about the update link, one file a rule."""
