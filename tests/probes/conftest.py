"""One case runs on two logical devices; this must be said before TensorFlow's first operation."""

from tests.support import two_devices  # noqa: F401
