"""Tests of the experiments (`ww.probe`): the catalogue, the examples of each, and what they leave behind."""
