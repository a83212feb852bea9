"""One recorder behind the callback, the loop and the summary functions: it owns the History and all that leaves it."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from ..diagnosis import IncrementalDiagnosis, checked_rules
from ..history import History, Record, Rows
from ..maps import TENSORS, Map
from ..schema import as_stored, map_as_stored, record_as_stored
from ..verdict import Diagnosis
from ..writer import EventWriter, Sink, directory_sink
from .observe.fault_guard import FaultGuard
from .preflight_results import recall
from .schedule.bursts import Budget, Schedule, next_burst_start
from .schedule.map_schedule import MapSchedule


class NullSink:
    """A sink that keeps nothing."""

    def emit(self, summary: Any, step: int, wall_time: float) -> None:
        """Drops one Summary."""

    def flush(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


class Recorder:
    """Keeps and writes what is recorded, judges it now and then, and says what is new.

    Args:
        destination: folder of the run, or a `tf.summary` writer; None: off from the start, another worker records.
        kind: "fit", "loop" or "summary".
        overhead: share of training time that recording may cost (0 to 1); None: a fixed schedule.
        rules: rule name -> thresholds by name, or False to mute the rule.
        verbose: prints a new answer.
        maps: records histograms and motion maps now and then.
        tensors: which variables to record in full (`MapSchedule`).

    Raises:
        OSError: the folder can not be written.
        ValueError: `overhead` or `rules` is not valid.
    """

    def __init__(  # noqa: PLR0913
        self,
        destination: Any,
        *,
        kind: str,
        overhead: float | None = 0.02,
        rules: Mapping[str, Any] | None = None,
        verbose: bool = True,
        maps: bool = False,
        tensors: Any = (),
    ) -> None:
        if overhead is not None and not 0 < overhead <= 1:
            raise ValueError(f"overhead must be a share of training time between 0 and 1, or None; got {overhead!r}")
        chosen = checked_rules(rules)
        started = time.time()
        launch = f"{int(started)}-{os.urandom(3).hex()}"
        self.history = History(launch, started=started)
        self.budget = Budget(overhead)
        self.wanted = MapSchedule(maps, tensors, self.budget)
        self._unnamed = bool(self.wanted.patterns)  # not yet held against the names of the variables
        self.verbose, self.off = verbose, destination is None
        self._schedule = Schedule(self.budget)
        self._writer = EventWriter(_sink(destination), launch, started)
        self._judge = IncrementalDiagnosis(self.history)  # derives nothing twice of rows already judged
        self._judged: Diagnosis | None = None
        self._judge_at, self._told, self._ended = 1, "", False
        self._said: dict[str, bool] = {}  # name of each answer that was printed -> whether it is still true
        self._cost_at = 32  # rows; then each time their number has grown by half, a dozen records in all
        self.collect: Callable[[], None] = lambda: None  # brings in rows that still stand elsewhere
        self.describe(0, "config", {"rules": chosen, "overhead": overhead})
        self.describe(0, "facts", {"recorder": {"kind": kind}})
        self._release = _closed_in_any_case(self)

    # -- recording

    def due(self, step: int) -> bool:
        """Says whether to record the step (from 1)."""
        return not self.off and (self._schedule.due(step) or self.wanted.asked(step))

    def following(self, step: int) -> float:
        """Returns the next step that may be due, after one that was not."""
        return min(next_burst_start(step), self.wanted.following(step))

    def describe(self, step: int, kind: str, data: Mapping[str, Any]) -> None:
        """Keeps and writes a dated record; of facts and described items only what changed."""
        record = record_as_stored(Record(step, kind, data, time.time()))
        changed: Mapping[str, Any] = record.data
        if kind == "facts":
            known = self.history.facts
            changed = {k: v for k, v in changed.items() if k not in known or known[k] != v}
        elif kind in ("variables", "layers"):
            items = {i["name"]: i for i in self.history.described(kind)}
            changed = {"items": [i for i in changed["items"] if items.get(i["name"]) != i]}
            changed = changed if changed["items"] else {}
        if changed:
            record = Record(record.step, kind, changed, record.time)
            self.history.add(record)
            self._writer.add(record)
            if kind == "variables":
                self._name_check()

    def looked_at(self, model: Any) -> None:
        """Keeps what `preflight` found of that model before, once a launch."""
        found = recall(model)
        if found is not None and found not in [record.data for record in self.history.of_kind("preflight")]:
            step = int(self.history.steps[-1]) if len(self.history) else 0
            self.describe(step, "preflight", found)

    def append(self, rows: Rows) -> None:
        """Keeps rows as a reader will get them, writes them, and judges now and then."""
        if self.off or not len(rows):
            return
        settled = as_stored(rows)
        self.history.append(settled)
        self._ended = False
        self._writer.append(settled)
        if len(self.history) >= self._cost_at:
            self._cost_at = len(self.history) * 3 // 2
            self._tell_cost(int(self.history.steps[-1]))
        if len(self.history) >= self._judge_at:
            self._judge_at = max(len(self.history) + 4, int(len(self.history) * 1.1))
            self._writer.judged(self.diagnosis)
            self._tell()

    def _name_check(self) -> None:
        names = [v.name for v in self.history.variables] if self._unnamed else []
        unknown = self.wanted.unknown(names) if names else []
        if names:
            self._unnamed = False
        if unknown:
            warnings.warn(
                f"tensors= names no variable: {', '.join(map(repr, unknown))}; "
                f"the variables are {', '.join(names[:20])}",
                RuntimeWarning,
                stacklevel=2,
            )

    def keep(self, maps: list[Map]) -> None:
        """Writes arrays of a step; histograms and motion maps are kept as well, as a reader will get them."""
        if not self.off:
            for one in maps:
                if one.kind not in TENSORS:  # those may be large, and stand in the event file
                    self.history.keep(map_as_stored(one))
            self._writer.maps(maps)

    def ready(self, step: int) -> bool:
        """Says whether the writer has something to do; cheap, for every step."""
        return not self.off and self._writer.ready(step)

    def tick(self, step: int) -> None:
        """Lets the writer do what is due."""
        if not self.off:
            self._writer.tick(step)

    @property
    def diagnosis(self) -> Diagnosis:
        """The answer from all rows so far."""
        last = self._judged
        if last is None or last.rows != len(self.history):
            last = self._judged = self._judge()
        return last

    def _tell(self, last: bool = False) -> None:
        """Prints what is new: an answer when it first comes, once that it is resolved, and how it ended."""
        found = self.diagnosis
        first = found.verdicts[0] if found.verdicts and found.status == "sick" else None
        news = [f"{v.code} {v.name}: {v.life}." for v in found.resolved if self._said.get(v.name)]
        self._said.update(dict.fromkeys((v.name for v in found.resolved if v.name in self._said), False))
        if first and first.name not in self._said:
            self._said[first.name] = True
            news.append(f"{found}\n  fix: {first.fix}")
        elif last and (found.status != self._told if first is None else not self._said[first.name]):
            # Nothing is wrong at the end, or what came back after it had been resolved: only now that is said.
            news.append(str(found))
        self._told = found.status if last else self._told
        for text in news if self.verbose and len(self.history) else ():
            print(f"\ntb_weightwatch: {text}", file=sys.stderr, flush=True)

    # -- ending and failing

    def guarded(self) -> FaultGuard:
        """Keeps any fault of the recorder away from training."""
        return FaultGuard(self.fail)

    def fail(self, error: BaseException) -> None:
        """Warns once, loudly, with the traceback, and switches the recorder off; training goes on."""
        if os.environ.get("TB_WEIGHTWATCH_STRICT") == "1":
            raise error
        if self.off:
            return
        self.off = True
        text = "".join(traceback.format_exception(error))
        warnings.warn(
            f"tb_weightwatch failed and has switched itself off; training goes on unrecorded.\n{text}",
            RuntimeWarning,
            stacklevel=2,
        )

    def end(self, how: str, detail: str = "") -> None:
        """Records that training ended (it may go on), judges, tells and flushes."""
        if self.off:
            return
        self.collect()
        self.budget.pause()
        if self._ended:
            return
        step = int(self.history.steps[-1]) if len(self.history) else 0
        self._tell_cost(step)
        self.describe(step, "end", {"how": how, "detail": detail})
        self._ended = True
        self._judged = None
        self._writer.judged(self.diagnosis)
        self._tell(last=True)
        self._writer.flush()

    def _tell_cost(self, step: int) -> None:
        cost, seconds, once = self.budget.cost, self.budget.elapsed, self.budget.once
        share = None if cost is None else round(cost, 5)
        self.describe(step, "cost", {"overhead": share, "seconds": round(seconds, 3), "once": round(once, 3)})

    def close(self, how: str = "closed", detail: str = "") -> None:
        """Ends, if that has not been said, and closes the event file; closing twice is fine."""
        self._release()
        with self.guarded():
            self.collect()
            done = self._ended
            self.end(how, detail)
            # All is written already; a caller's own writer may have been closed since.
            with contextlib.suppress(RuntimeError) if done else contextlib.nullcontext():
                self._writer.close()
        self.off = True


def _sink(destination: Any) -> Sink:
    if destination is None:
        return NullSink()
    if isinstance(destination, (str, os.PathLike)):
        return directory_sink(destination)
    if hasattr(destination, "as_default") and hasattr(destination, "flush"):
        from .tf_summary_sink import SummarySink

        return SummarySink(destination)
    raise TypeError(
        "expected the folder of a run (str or path) or a tf.summary writer (tf.summary.create_file_writer(...)), "
        f"got {type(destination).__name__}"
    )


def _closed_in_any_case(recorder: Recorder) -> Any:
    """Closes the recorder at exit and flushes it at SIGTERM; returns what undoes both."""
    process = os.getpid()

    def at_exit() -> None:
        if process == os.getpid():  # not in a forked child
            error = getattr(sys, "last_value", None)  # what the interpreter is dying of, if anything
            recorder.close("exception" if error else "closed", type(error).__name__ if error else "")

    def at_signal(number: int, frame: Any) -> None:
        if process == os.getpid():
            with recorder.guarded():
                recorder.end("signal", signal.Signals(number).name)
        if callable(previous):
            previous(number, frame)
        elif previous == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    atexit.register(at_exit)
    previous: Any = None
    ours = threading.current_thread() is threading.main_thread()
    if ours:
        previous = signal.getsignal(signal.SIGTERM)
        ours = previous is not None  # None: installed by C code, which we could not chain
        if ours:
            signal.signal(signal.SIGTERM, at_signal)

    def release() -> None:
        atexit.unregister(at_exit)
        if ours and signal.getsignal(signal.SIGTERM) is at_signal:
            with contextlib.suppress(ValueError):  # closing from another thread
                signal.signal(signal.SIGTERM, previous)

    return release
