"""One attack a file; `tests.harm.registry` finds them by this folder."""
