"""Training processes: forked from a server that has imported TensorFlow, or started afresh.

A forked one trains after a tenth of the time, since importing TensorFlow takes seconds. Nothing of TensorFlow has run
in the server, so that it can be forked. A fresh one ends as the interpreter does.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .scene import Order, Scene

STUCK = 40.0  # seconds after which a training is ended that takes a few


@dataclass(frozen=True)
class Ended:
    """How a training process ended.

    Attributes:
        code: exit status; negative: the signal that ended it.
        stuck: whether it had to be killed.
        seconds: from its start to its end.
        report: what it reported (`Scene.report`); {} if it could not.
        console: what it printed.
    """

    code: int
    stuck: bool
    seconds: float
    report: dict[str, Any]
    console: str


class Training:
    """A training process that runs.

    Args:
        order: what it does.
        fresh: it is started afresh, and ends as the interpreter does.
    """

    def __init__(self, order: Order, *, fresh: bool = False) -> None:
        self.order = order
        self._began = time.monotonic()
        os.makedirs(order.folder, exist_ok=True)
        os.chmod(order.folder, 0o777)
        if fresh:
            command = [sys.executable, "-m", "tests.harm.training_process", json.dumps(asdict(order))]
            self._fresh: subprocess.Popen[bytes] | None = subprocess.Popen(command)
            self.pid = self._fresh.pid
        else:
            self._fresh = None
            self._forked = _server().Process(target=run_and_leave, args=(order,))
            self._forked.start()
            self.pid = self._forked.pid or 0

    def _wait(self, seconds: float) -> int | None:
        if self._fresh is None:
            self._forked.join(seconds)
            return self._forked.exitcode
        try:
            return self._fresh.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, seconds: float = STUCK) -> Ended:
        """Waits for its end; kills it after so many seconds."""
        code = self._wait(seconds)
        stuck = code is None
        if stuck:
            os.kill(self.pid, 9)
            code = self._wait(seconds)
        report = Path(self.order.folder, "report")
        told = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
        return Ended(-9 if code is None else code, stuck, time.monotonic() - self._began, told, self.console)

    def ends_within(self, seconds: float) -> bool:
        """Waits so many seconds for its end, and returns whether it has ended."""
        return self._wait(seconds) is not None

    @property
    def console(self) -> str:
        """What it has printed."""
        console = Path(self.order.folder, "console")
        return console.read_text(encoding="utf-8", errors="replace") if console.exists() else ""

    def wait_for_step(self, step: int, seconds: float = STUCK) -> None:
        """Returns when a step has been completed, or the process is taking too long."""
        path, deadline = Path(self.order.folder, "progress"), time.monotonic() + seconds
        while time.monotonic() < deadline and self._wait(0.01) is None:
            if path.exists() and path.stat().st_size >= 16 * step:
                return


@cache
def _server() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.harm.training_process", "tests.harm.preload"])
    return context


def run_and_leave(order: Order) -> None:
    """Trains in a forked process; the functions that the interpreter calls at its exit are called here."""
    import atexit

    try:
        run(order)
    finally:
        atexit._run_exitfuncs()


def run(order: Order) -> None:
    """Trains as ordered, and reports."""
    from .situations import situation_of

    os.environ["TB_WEIGHTWATCH_STRICT"] = "0"
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
    console = os.open(os.path.join(order.folder, "console"), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o666)
    for stream in (1, 2):
        os.dup2(console, stream)
    situation = situation_of(order.situation)  # imports the clock, before all that takes `time.time` as it is
    from .trainings import KINDS

    scene = Scene(order, situation.at_step)

    def note(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        scene.warned += [str(message)[:2000]] if "tb_weightwatch" in str(message) else []

    warnings.showwarning = note
    try:
        situation.before(scene)
        KINDS[order.kind](scene)
    except BaseException as error:
        scene.report(error)
        if isinstance(error, SystemExit) or not situation.ends_by_error:
            raise
    else:
        situation.after(scene)
        scene.report()


if __name__ == "__main__":
    run(Order(**json.loads(sys.argv[1])))
