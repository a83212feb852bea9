"""Several processes, and all ways in which one ends."""

from __future__ import annotations

import os
import signal
import sys
import time

from .. import clock
from ..scene import Scene
from ..situation import Situation, at_moment

_LATE = 100  # the step after which a process ends that does not end by itself
YEAR = 365.25 * 86400.0


def _fork(scene: Scene) -> None:
    """Forks a child that uses what it inherited, ends as a program does, and must be done within ten seconds."""
    import atexit

    child = os.fork()
    if child == 0:
        for watch in scene.watches:
            str(watch.diagnosis)
            if hasattr(watch, "close"):
                watch.close()
        atexit._run_exitfuncs()
        os._exit(0)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if os.waitpid(child, os.WNOHANG)[0]:
            return
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    scene.notes.append("a forked child hangs")


def _leave_at_once(scene: Scene) -> None:
    scene.report()
    os._exit(3)


def _leave_by_exit(scene: Scene) -> None:
    scene.report()
    sys.exit(3)


def _signal(number: int) -> None:
    os.kill(os.getpid(), number)


def _do_not_close(scene: Scene) -> None:
    scene.leave_open = True


def _own_handler(scene: Scene) -> None:
    """Installs a handler of the user's that notes the signal and goes on."""
    signal.signal(signal.SIGTERM, lambda *_: scene.notes.append("") or None)


def _set_back(scene: Scene) -> None:
    if scene.order.folder.endswith("-1"):
        clock.set_by(-6 * 3600.0)


def _jump(scene: Scene, step: int) -> None:
    years = {30: 10.0, 60: -20.0, 90: 0.0}
    if step in years:
        clock.set_by(years[step] * YEAR)


SITUATIONS = (
    Situation("two processes in one directory", trainings=(120, 120), together=True, pause=0.03, quick=True),
    Situation("two processes, one clock 6 h back", before=_set_back, trainings=(120, 120), together=True, pause=0.03),
    Situation("started again with fewer steps", trainings=(120, 60), quick=True),
    Situation("started again with more steps", trainings=(60, 120)),
    Situation("a child is forked", at_step=at_moment(_fork), quick=True),
    Situation("the clock jumps by years", at_step=_jump, quick=True),
    Situation("it ends without close", before=_do_not_close, fresh=True),
    Situation("sys.exit() in a step", at_step=at_moment(_leave_by_exit, _LATE), code=3, fresh=True),
    Situation("os._exit() in a step", at_step=at_moment(_leave_at_once, _LATE), code=3, abrupt=True, pause=0.03),
    Situation("SIGTERM", at_step=at_moment(lambda _: _signal(signal.SIGTERM), _LATE), code=-signal.SIGTERM, fresh=True),
    Situation("SIGTERM with a handler of the user's", before=_own_handler,
              at_step=at_moment(lambda _: _signal(signal.SIGTERM))),
    Situation("SIGINT", at_step=at_moment(lambda _: _signal(signal.SIGINT), _LATE), code=-signal.SIGINT, fresh=True),
)  # fmt: skip
