"""Programs by kind of training or of fault, written without looking at the rules."""
