"""Tests of the rules about the loss link, one file per rule."""
