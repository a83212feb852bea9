"""Tests of the rules: one file a rule, in the folder of its link; the catalogue as a whole beside them."""
