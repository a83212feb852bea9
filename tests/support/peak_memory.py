"""How much memory a part of a process takes at most."""

from __future__ import annotations

from pathlib import Path


class PeakMemory:
    """The memory that this process needs more from now on."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
        self._before = _resident("VmRSS")

    def growth(self) -> float:
        """Returns the largest resident memory since then, less what was resident, in MB."""
        return _resident("VmHWM") - self._before


def _resident(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) / 1e6 for line in lines if line.startswith(name))
