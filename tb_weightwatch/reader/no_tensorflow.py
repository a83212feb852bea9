"""Reading event files without TensorFlow, in a process that is ours."""

from __future__ import annotations

import sys
import types


def read_without_tensorflow() -> None:
    """Makes TensorBoard read event files without TensorFlow from now on, whose import takes seconds.

    It also replaces the checksum that TensorBoard then uses, a Python loop over all bytes that takes four fifths of the
    time. Both changes affect the whole process, so call it only in a process that runs nothing else.
    """
    import google_crc32c
    from tensorboard.compat.tensorflow_stub import pywrap_tensorflow

    sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("tensorboard.compat.notf"))
    pywrap_tensorflow.crc32c = google_crc32c.value
