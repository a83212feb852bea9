"""Disks that are slow, hang, or refuse to be written to."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from ..scene import Scene
from ..situation import CannotTry, Situation, at_moment

_CAPABILITIES_VERSION = 0x20080522
_PASSES_OVER_PERMISSIONS = 0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
_FEW_BYTES = 3 << 10  # less than any recording needs, more than the progress of a training


def _control(logdir: str | Path) -> Path:
    return Path(logdir).parent.with_suffix(".trouble")


def _end_trouble(logdir: Path) -> None:
    _control(logdir).unlink(missing_ok=True)


def _troubled(trouble: str) -> Callable[[Path], AbstractContextManager[Path]]:
    """Returns a place on a disk that gets into trouble (`troubled_disk`)."""

    @contextlib.contextmanager
    def place(scratch: Path) -> Iterator[Path]:
        if os.geteuid() or not os.path.exists("/dev/fuse"):
            raise CannotTry("needs root and /dev/fuse")
        disk = scratch / "disk"
        disk.mkdir()
        logdir = disk / "logs"
        command = [sys.executable, "-m", "tests.harm.troubled_disk", str(disk), trouble, str(_control(logdir))]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        try:
            if server.stdout.readline() != "mounted\n":
                raise CannotTry("FUSE cannot be mounted here")
            (disk / "first").touch()  # the kernel learns that closing a file needs no answer
            yield logdir
        finally:
            server.kill()  # whoever waits for the disk gets an error now
            server.communicate()
            subprocess.run(["umount", "-l", str(disk)], capture_output=True)

    return place


def _begin_trouble(scene: Scene) -> None:
    if scene.order.monitored:
        _control(scene.order.logdir).touch()


@contextlib.contextmanager
def _small_disk(scratch: Path) -> Iterator[Path]:
    disk = scratch / "small"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "none", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        raise CannotTry("needs root, to mount a small disk")
    try:
        yield disk / "logs"
    finally:
        subprocess.run(["umount", "-l", str(disk)], capture_output=True)


def _limit_file_size(scene: Scene) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FEW_BYTES, resource.RLIM_INFINITY))


def _remove_directory(scene: Scene) -> None:
    shutil.rmtree(scene.order.logdir, ignore_errors=True)


def _obey_permissions(scene: Scene) -> None:
    """Gives up root's right to pass over permissions; files of root's stay its own."""
    if os.geteuid():
        return
    libc, header, sets = ctypes.CDLL(None), (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0), (ctypes.c_uint32 * 6)()
    libc.capget(header, sets)
    sets[0] &= ~_PASSES_OVER_PERMISSIONS  # the first of the six are those in effect
    libc.capset(header, sets)


def _lose_permission(scene: Scene) -> None:
    if scene.order.monitored:
        logdir = Path(scene.order.logdir)
        for path in [*reversed([*logdir.rglob("*")]), logdir]:  # a folder after what is in it
            path.chmod(0)


def _give_permission_back(logdir: Path) -> None:
    for path in (logdir, logdir / "weightwatch"):
        path.chmod(0o700)
    for path in logdir.rglob("*"):
        path.chmod(0o700)


def _warnings_as_errors(scene: Scene) -> None:
    _limit_file_size(scene)
    warnings.simplefilter("error")


def _on_disk(name: str, trouble: str, *, loses: bool, quick: bool = False, pause: float = 0.0) -> Situation:
    return Situation(
        name, _troubled(trouble), at_step=at_moment(_begin_trouble), recover=_end_trouble, loses=loses, quick=quick,
        pause=pause,
    )  # fmt: skip


SITUATIONS = (
    Situation("the log directory is removed", at_step=at_moment(_remove_directory), pause=0.03, loses=True, quick=True),
    _on_disk("a slow disk (2 s a write)", "slow", loses=True, quick=True, pause=0.03),
    _on_disk("a disk that hangs", "hanging", loses=True, quick=True, pause=0.03),
    _on_disk("a disk that gets full", "full", loses=True),
    Situation("a disk of 4 kB", _small_disk, loses=True),
    _on_disk("a disk that becomes read-only", "read-only", loses=True),
    _on_disk("a disk with errors", "broken", loses=True),
    _on_disk("access is refused", "denied", loses=True),
    Situation("permissions are withdrawn", before=_obey_permissions, at_step=at_moment(_lose_permission),
              recover=_give_permission_back, pause=0.03),
    Situation("a limit of 3 kB for files", before=_limit_file_size, loses=True, quick=True),
    Situation("warnings are errors, and writing fails", before=_warnings_as_errors, loses=True, quick=True),
)  # fmt: skip
