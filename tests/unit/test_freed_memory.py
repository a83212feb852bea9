"""Memory that a review freed is used again for the next run."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys

import pytest

from tb_weightwatch.cli.freed_memory import keep_freed_memory

# Prints how many pages Linux cleared for arrays of 40 MB in all that were made and freed ten times.
CLEARED_PAGES = """
import resource, sys
import numpy as np
from tb_weightwatch.cli.freed_memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    arrays = [np.ones(1_000_000, np.float32) for _ in range(10)]
    del arrays
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def cleared_pages(way: str) -> int:
    return int(subprocess.check_output([sys.executable, "-c", CLEARED_PAGES, way], text=True))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this is an option of glibc")
def test_pages_are_cleared_once() -> None:
    """With the option the kernel clears the pages of ten rounds about once."""
    assert cleared_pages("keep") < 0.5 * cleared_pages("give back")


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the options do not exist, nothing is called."""
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: pytest.fail("the C library was called"))
    keep_freed_memory()
