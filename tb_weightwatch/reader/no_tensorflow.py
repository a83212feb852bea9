"""Reading event files without TensorFlow, in a process that is ours."""

from __future__ import annotations

import sys
import types


def read_without_tensorflow() -> None:
    """Has TensorBoard read event files without TensorFlow from now on; importing that takes seconds.

    TensorBoard's own checksum then is a loop in Python over all bytes, which takes four fifths of the time: it gets
    another one. Both are for the whole process, so it must be ours.
    """
    import google_crc32c
    from tensorboard.compat.tensorflow_stub import pywrap_tensorflow

    sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("tensorboard.compat.notf"))
    pywrap_tensorflow.crc32c = google_crc32c.value
