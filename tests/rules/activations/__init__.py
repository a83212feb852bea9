"""Tests of the rules about the activations link, one file per rule."""
