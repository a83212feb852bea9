"""Small programs to copy from, each one a common way of training. They run in seconds."""
