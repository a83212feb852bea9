"""A real disk that hangs: a file system that never answers, mounted over a folder."""

from __future__ import annotations

import ctypes
import os
from functools import cache

_NEW_MOUNTS, _RECURSIVE, _PRIVATE = 0x20000, 0x4000, 0x40000
_libc = ctypes.CDLL(None, use_errno=True)


def enter_own_mounts() -> bool:
    """Gives this process mounts of its own, which end with it; returns whether it may (root on Linux)."""
    if not hasattr(_libc, "unshare") or not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return False
    return _libc.unshare(_NEW_MOUNTS) == 0 and _libc.mount(b"none", b"/", None, _PRIVATE | _RECURSIVE, None) == 0


@cache
def is_possible() -> bool:
    """Returns whether a child of this process can have a disk that hangs."""
    child = os.fork()
    if child == 0:
        os._exit(0 if enter_own_mounts() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def hang(folder: str) -> int:
    """Lets each access to a folder hang, until the returned descriptor is closed; call `enter_own_mounts` first."""
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    if _libc.mount(b"fuse", os.fsencode(folder), b"fuse", 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), "the file system that hangs cannot be mounted")
    return device


def make_read_only(folder: str) -> None:
    """Mounts an empty file system over a folder that can only be read."""
    if _libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 1, b"") != 0:
        raise OSError(ctypes.get_errno(), "cannot be mounted")
