"""The symptoms of a run: what is certainly wrong with it, whatever the cause; one file per symptom."""
