"""Makes every function of the recorder fail in turn while a training runs, and checks that the training is unharmed.

python -m tests.harm.fault_injection                 all trainings, all functions
python -m tests.harm.fault_injection loop fit        some trainings
python -m tests.harm.fault_injection fit --only observe/replicas

A function fails from its first call on; with --middle also once, at a call in the middle. The training must end
with the same weights bit for bit, without an exception, in time, and with one message. In every other injection
warnings are errors, as with `python -W error`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import math
import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from .injection import Injection, table
from .injector import Injector
from .short_trainings import TRAININGS, Train

PACKAGES = ("capture", "statistics", "schema", "writer", "diagnosis", "task_thread")
SECONDS = 90.0  # after which a training hangs; on a quiet core it takes less than one
# The boundary; what the user calls that only calls an entry point; and what runs the user's own step or function.
BOUNDARY = frozenset(
    {
        "capture/observe/fault_guard:FaultGuard.__init__",
        "capture/observe/fault_guard:FaultGuard.__enter__",
        "capture/observe/fault_guard:FaultGuard.__exit__",
        "capture/recording_failure:RecordingFailure.guarded",
        "capture/observe/method_hooks:_contained",
        "capture/alerts:Alerts.deliver",
        "capture/fault_handler:FaultHandler._on_fault",
        "capture/fault_handler:CheckedCalls._on_fault",
        "capture/fault_handler:report_fault",
        "capture/safe_warning:warn",
        "capture/recording:Recording._deliver_alerts",
        "capture/keras_callback:WeightWatch.on_train_batch_begin",
        "capture/keras_callback:WeightWatch.on_train_batch_end",
        "capture/keras_callback:WeightWatch.on_train_end",
        "capture/watch:Watch.step",
        "capture/watch:Watch.probe",
        "capture/loop/with_block:WithBlock.__enter__",
        "capture/loop/with_block:WithBlock.__exit__",
        "capture/loop/with_block:WithBlock.close",
        "capture/summary:update",
        "capture/summary:verdict",
        "capture/summary_writer:Writer.__enter__",
        "capture/summary_writer:Writer.__exit__",
        "capture/summary_writer:Writer.close",
        "capture/fit/step_recorder:FitStepRecorder.run",
        "capture/fit/step_recorder:FitStepRecorder._run_execution",
        "capture/fit/recording_train_function:RecordingTrainFunction._recorded_train_step",
        "task_thread:TaskThread._run_guarded",
    }
)


class Hung(BaseException):
    """The training has not ended in time."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises Hung inside the block when it takes longer."""

    def expired(number: int, frame: FrameType | None) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class FaultInjection:
    """Injects failures into one training.

    Args:
        name: of the training, in `TRAININGS`.
        folder: for event files.
    """

    def __init__(self, name: str, folder: Path, injector: Injector) -> None:
        self.name, self._folder, self._injector = name, folder, injector
        self._train: Train = TRAININGS[name]
        self._numbers = itertools.count()
        self._plain = self._train(None, lambda: None)
        _, raised, told, _ = self._attempt("", 1, once=False, errors=False)
        assert not raised and not told, (raised, told)
        self.called = dict(injector.calls)

    def injections(self, part: int = 1, middle: bool = True) -> Iterator[Injection]:
        """Yields what became of the training: of each `part`-th function that it calls, twice if it is called often."""
        for number, (function, calls) in enumerate(sorted(self.called.items())):
            if number % part:
                continue
            yield from self.inject(function, 1, once=False, errors=bool(number % 2))
            if middle and calls > 1:
                yield from self.inject(function, calls // 2 + 1, once=True, errors=not number % 2)

    def inject(self, function: str, call: int, *, once: bool, errors: bool) -> Iterator[Injection]:
        """Has one function fail, if it is called; `errors`: warnings are errors meanwhile."""
        weights, raised, told, hung = self._attempt(function, call, once=once, errors=errors)
        if self._injector.fired:
            yield Injection(self.name, function, call, once, raised, weights == self._plain, told, hung)

    def _attempt(self, function: str, call: int, *, once: bool, errors: bool) -> tuple[list[bytes], str, int, bool]:
        weights: list[bytes] = []
        raised, hung, stderr = "", False, io.StringIO()
        folder = self._folder / str(next(self._numbers))
        with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stderr(stderr):
            warnings.simplefilter("always")
            if errors:
                warnings.simplefilter("error", RuntimeWarning)
            try:
                with time_limit(SECONDS):
                    weights = self._train(folder, lambda: self._injector.arm(function, call, once=once))
            except Hung:
                hung = True
            except Exception as error:
                raised = f"{type(error).__name__}: {error}".split("\n")[0]
            finally:
                self._injector.disarm()
        told = sum("switched itself off" in str(warning.message) for warning in caught)
        return weights, raised, told + stderr.getvalue().count("switched itself off"), hung


@contextlib.contextmanager
def injecting() -> Iterator[tuple[Injector, Path]]:
    """Yields what injects failures, and a folder; failures are not to be raised in strict mode."""
    strict = os.environ.pop("TB_WEIGHTWATCH_STRICT", None)
    try:
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        with folder, Injector(PACKAGES, BOUNDARY) as injector:
            yield injector, Path(folder.name)
    finally:
        if strict is not None:
            os.environ["TB_WEIGHTWATCH_STRICT"] = strict


def run(
    budget_seconds: float | None = None, names: tuple[str, ...] = tuple(TRAININGS), *, part: int = 1
) -> list[Injection]:
    """Returns the injections into these trainings, into each `part`-th function.

    With a budget each training gets an equal part of it.
    """
    done: list[Injection] = []
    with injecting() as (injector, folder):
        for name in names:
            began = time.monotonic()
            for injection in FaultInjection(name, folder, injector).injections(part):
                done.append(injection)
                if budget_seconds is not None and time.monotonic() - began > budget_seconds / len(names):
                    break
    return done


def main() -> int:
    """Runs what the command line names; returns 1 if a training was harmed."""
    parser = argparse.ArgumentParser(prog="python -m tests.harm.fault_injection", description=__doc__.split("\n")[0])
    parser.add_argument("trainings", nargs="*", metavar="TRAINING", help=f"one of {', '.join(TRAININGS)}")
    parser.add_argument("--only", action="append", help="functions whose name contains this; may be given again")
    parser.add_argument("--middle", action="store_true", help="also once at a call in the middle")
    parser.add_argument("--seconds", type=float, default=math.inf, help="after which a training is not tried further")
    parser.add_argument("--part", type=int, default=1, help="each so many-th function")
    given = parser.parse_args()
    done: list[Injection] = []
    with injecting() as (injector, folder):
        for name in given.trainings or TRAININGS:
            injection = FaultInjection(name, folder, injector)
            wanted = given.only or [""]
            injection.called = {f: n for f, n in injection.called.items() if any(part in f for part in wanted)}
            began = time.monotonic()
            for item in injection.injections(given.part, given.middle):
                done.append(item)
                if item.is_bad:
                    print(item, flush=True)
                if time.monotonic() - began > given.seconds:
                    break
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(table(done))
    return int(not all(item.survived for item in done))


if __name__ == "__main__":
    sys.exit(main())
