"""Some hundred short trainings, drawn at random: what the rules say to programs that nobody had at hand.

`python -m tests.clinic --sweep` goes on where it was stopped; each training is one line of a file, its event files
stay, and so changed rules judge all of it again within minutes. What is healthy is proven by the model's own
predictions, never by our verdict.
"""
