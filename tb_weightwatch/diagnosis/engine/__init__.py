"""The engine: runs the rules over a History, folds consequences under their cause, and writes the sentence."""
