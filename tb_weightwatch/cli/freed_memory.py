"""Memory of one run is used again for the next one, in processes of ours."""

from __future__ import annotations

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # names of options in <malloc.h>
_KEPT, _LARGEST = 1 << 28, 1 << 25  # bytes; glibc accepts no larger second one


def keep_freed_memory() -> None:
    """Lets glibc keep up to 256 MB that were freed; elsewhere it does nothing.

    By default it gives the arrays of each run back to Linux, which clears every page before it hands it out again: a
    sixth of the time of a review of many runs. It affects the whole process, so call it only in one that runs nothing
    else.
    """
    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_MMAP_THRESHOLD, _LARGEST)
