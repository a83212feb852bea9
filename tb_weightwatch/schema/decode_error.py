"""The error of all decoding."""


class DecodeError(ValueError):
    """A datum cannot be read; the message says why."""
