"""Runs the rules over a History, folds consequences under their cause and words the answer."""
