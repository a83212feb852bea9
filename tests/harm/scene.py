"""One training process from inside: what it was asked to do, and what it reports."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRESS = struct.Struct("<qd")  # a completed step, and when it ended in seconds of the monotonic clock


@dataclass(frozen=True)
class Order:
    """What a training process is asked to do.

    Attributes:
        kind: "fit", "loop" or "summary".
        folder: gets the process's progress, report and console.
        logdir: where the monitor writes.
        steps: how many to train.
        pause: seconds to sleep after each step.
        situation: name of what happens to it; "": nothing.
        monitored: whether there is a monitor.
    """

    kind: str
    folder: str
    logdir: str
    steps: int = 120
    pause: float = 0.0
    situation: str = ""
    monitored: bool = True


class Scene:
    """The training process.

    Args:
        order: what it is asked to do.
        at_step: is called with the scene and the step after each step.

    Attributes:
        weights: returns the weights; set by the training.
        watches: what records it.
        same_twice: the callback is given twice.
        second: a second monitor watches the same model.
        leave_open: the monitor is not closed.
        warned: warnings of tb_weightwatch so far.
    """

    def __init__(self, order: Order, at_step: Callable[[Scene, int], None]) -> None:
        self.order, self._at_step = order, at_step
        self.weights: Callable[[], list[Any]] = list
        self.watches: list[Any] = []
        self.same_twice = self.second = self.leave_open = False
        self.warned: list[str] = []
        self.notes: list[str] = []
        self._progress = os.open(os.path.join(order.folder, "progress"), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o666)
        self._process = os.getpid()
        self._began = time.monotonic()

    def recordings(self, make: Callable[[str], Any]) -> list[Any]:
        """Returns the monitors that the training uses."""
        if self.order.monitored:
            self.watches = [make(self.order.logdir)]
            if self.second:
                self.watches.append(make(f"{self.order.logdir}-second"))
        self._began = time.monotonic()
        return self.watches * 2 if self.same_twice else self.watches

    def step_done(self, step: int) -> None:
        """Ends a step: it is noted, and what the situation has for it happens."""
        os.write(self._progress, PROGRESS.pack(step, time.monotonic()))
        if self.order.pause:
            time.sleep(self.order.pause)
        self._at_step(self, step)

    def close(self, watches: list[Any]) -> None:
        """Closes the monitors as a program does at its end."""
        for watch in [] if self.leave_open else watches:
            watch.close()

    def report(self, error: BaseException | None = None) -> None:
        """Writes what became of the training; a later report replaces it, and that of a forked child counts nothing."""
        if os.getpid() != self._process:
            return
        digest = hashlib.sha256(b"".join(array.tobytes() for array in self.weights())).hexdigest()
        told = {
            "seconds": time.monotonic() - self._began,
            "weights": digest,
            "error": type(error).__name__ if error is not None else "",
            "warned": self.warned,
            "notes": self.notes,
            "answers": [self._answer(watch) for watch in self.watches],
        }
        Path(self.order.folder, "report").write_text(json.dumps(told), encoding="utf-8")

    def _answer(self, watch: Any) -> str:
        try:
            return str(watch.diagnosis)
        except Exception as error:
            self.notes.append(f"print(watch.diagnosis) raises {type(error).__name__}")
            return ""


def progress_of(folder: Path) -> list[tuple[int, float]]:
    """Returns the steps that a training process has completed, each with its time."""
    path = folder / "progress"
    data = path.read_bytes() if path.exists() else b""
    return list(PROGRESS.iter_unpack(data[: len(data) // PROGRESS.size * PROGRESS.size]))
