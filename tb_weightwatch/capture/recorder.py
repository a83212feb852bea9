"""The recorder behind the callback, the loop and the summary functions: it owns the History and all that is written."""

from __future__ import annotations

import contextlib
import os
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from ..diagnosis import IncrementalDiagnosis, RuleSettings, checked_rules, diagnose
from ..history import History, Record, Rows
from ..maps import TENSORS, Map
from ..schema import as_stored, map_as_stored, record_as_stored
from ..verdict import Diagnosis, Experiment
from ..writer import EventWriter
from .console_news import ConsoleNews
from .exit_handlers import ExitHandlers
from .observe.fault_guard import FaultGuard
from .observe.run_ending import ending_of
from .preflight_results import recall
from .recording_fault import fault_reason
from .safe_warning import warn
from .schedule.budget import Budget
from .sinks import sink_of

if TYPE_CHECKING:
    from .arguments.types import LogDir


class Recorder:
    """Keeps and writes what is recorded, and diagnoses it from time to time.

    Args:
        destination: folder of the run, or a `tf.summary` writer; None: nothing is recorded.
        kind: "fit", "loop" or "summary".
        budget: measures what recording costs; the cost is recorded as well.
        rules: name or code of a rule -> thresholds by name, or False to mute the rule.
        verbose: prints a new answer.

    Attributes:
        begun: the last step that was to be recorded; a caller that counts completed steps sets it.
        failed_step: the first step that could not be measured; 0 if there is none.

    Raises:
        OSError: the folder cannot be written.
        TypeError: `destination` or `rules` is something else.
        ValueError: `rules` is not valid.
    """

    def __init__(
        self,
        destination: LogDir | None,
        *,
        kind: str,
        budget: Budget,
        rules: RuleSettings | None = None,
        verbose: bool = True,
    ) -> None:
        settings = checked_rules(rules)
        started = time.time()
        launch = f"{int(started)}-{os.urandom(3).hex()}"
        self.history = History(launch, started=started)
        self.folder = os.fspath(destination) if isinstance(destination, (str, os.PathLike)) else None
        self.off = destination is None  # whether nothing is recorded (any more)
        self.begun = self.failed_step = 0
        self._budget = budget
        self._writer = EventWriter(sink_of(destination), launch, started)
        self._diagnose = IncrementalDiagnosis(self.history)  # derives nothing again from rows that it knows already
        self._diagnosis: Diagnosis | None = None  # the last one
        self._news = ConsoleNews(verbose)
        self._next_diagnosis, self._next_cost = 1, 32  # numbers of rows at which a diagnosis and the cost are due
        self._step_counter: WeakMethod[Callable[[], int]] | None = None
        self._ended_after = -1  # completed steps when the end was recorded; -1: it is not, or training has gone on
        self._flush: list[Callable[[], None]] = []
        with self.guarded():
            self.describe(0, "config", {"rules": settings, "overhead": budget.share})
            self.describe(0, "facts", {"recorder": {"kind": kind}})
        self._exit_handlers = ExitHandlers(self._close_at_exit, self._end_guarded)

    def before_end(self, flush: Callable[[], None]) -> None:
        """Registers a function that appends rows which are still buffered; it is called before the launch ends."""
        self._flush.append(flush)

    def count_steps_with(self, method: Callable[[], int]) -> None:
        """Registers a method that returns the completed steps. Its object is not kept alive until the program ends."""
        self._step_counter = WeakMethod(method)

    @property
    def completed_steps(self) -> int:
        """How many steps were completed, recorded or not."""
        count = self._step_counter() if self._step_counter is not None else None
        return max(self._ended_after, self.last_step) if count is None else count()

    def describe(self, step: int, kind: str, data: Mapping[str, Any]) -> None:
        """Keeps and writes a dated record; of facts and described items only those that changed."""
        record = record_as_stored(Record(step, kind, data, time.time()))
        changed: Mapping[str, Any] = record.data
        if kind == "facts":
            facts = self.history.facts
            changed = {name: value for name, value in changed.items() if name not in facts or facts[name] != value}
        elif kind in ("variables", "layers"):
            items = {item["name"]: item for item in self.history.described(kind)}
            changed = {"items": [item for item in changed["items"] if items.get(item["name"]) != item]}
            changed = changed if changed["items"] else {}
        if changed:
            record = Record(record.step, kind, changed, record.time)
            self.history.add(record)
            self._writer.add(record)

    def adopt_preflight(self, model: Any) -> None:
        """Records the result of an earlier `preflight` of that model, once a launch."""
        result = recall(model)
        if result is not None and result not in [record.data for record in self.history.of_kind("preflight")]:
            self.describe(self.last_step, "preflight", result)

    def append(self, rows: Rows) -> None:
        """Keeps rows in the form in which a reader will get them, writes them, and diagnoses when that is due.

        A diagnosis is due each time the number of rows has grown by a tenth (at least four). The cost is recorded each
        time it has grown by half, so that there are a dozen such records in all.
        """
        if self.off or not len(rows):
            return
        stored = as_stored(rows)
        self.history.append(stored)
        self._ended_after = -1
        self._writer.append(stored)
        count = len(self.history)
        if count >= self._next_cost:
            self._next_cost = count * 3 // 2
            self._describe_cost()
        if count >= self._next_diagnosis:
            self._next_diagnosis = max(count + 4, int(count * 1.1))
            diagnosis = self._judge()
            self._writer.judged(diagnosis)
            self._news.update(diagnosis)

    def add_experiments(self, experiments: Iterable[Experiment]) -> None:
        """Keeps and writes what experiments have shown after the completed steps, and diagnoses anew."""
        step = self.completed_steps
        for experiment in experiments:
            self.describe(step, "experiment", replace(experiment, step=step).as_dict())
        self._diagnosis = None
        if not self.off:
            self._writer.judged(self.diagnosis)
            self._news.update(self.diagnosis)
            self._writer.flush()

    def add_maps(self, maps: list[Map]) -> None:
        """Writes arrays of a step; histograms and motion maps are kept as well, as a reader will get them."""
        if not self.off:
            for array in maps:
                if array.kind not in TENSORS:  # tensors may be large, and are kept in the event file only
                    self.history.keep(map_as_stored(array))
            self._writer.maps(maps)

    def ready(self, step: int) -> bool:
        """Checks whether the writer has something to do; this is cheap."""
        return not self.off and self._writer.ready(step)

    def tick(self, step: int) -> None:
        """Lets the writer do what is due."""
        if not self.off:
            self._writer.tick(step)

    def flush(self) -> None:
        """Writes what is pending, so that other processes can read it."""
        if not self.off:
            self._writer.flush()

    @property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis of all rows so far; if that fails, recording stops, and the diagnosis says so."""
        try:
            return self._judge()
        except Exception as error:
            self.fail(error)
        if self._diagnosis is None or self._diagnosis.rows != len(self.history):
            self._diagnosis = self._last_diagnosis()
        return self._diagnosis

    def _judge(self) -> Diagnosis:
        if self._diagnosis is None or self._diagnosis.rows != len(self.history):
            self._diagnosis = self._diagnose()
        return self._diagnosis

    def _last_diagnosis(self) -> Diagnosis:
        """Returns the diagnosis after a failure, which may be one of the diagnosis itself."""
        try:
            return diagnose(self.history)
        except Exception as error:
            sentence = f"Recording stopped, and what was recorded cannot be diagnosed: {fault_reason(error)}."
            return Diagnosis("undecided", sentence, step=self.last_step, rows=len(self.history))

    @property
    def latest_diagnosis(self) -> Diagnosis | None:
        """The last diagnosis that was made, which later rows may have outdated; None if there is none."""
        return self._diagnosis

    @property
    def last_step(self) -> int:
        """The last recorded step, or 0."""
        return int(self.history.steps[-1]) if len(self.history) else 0

    def _describe_cost(self) -> None:
        cost, seconds, one_off = self._budget.cost, self._budget.elapsed, self._budget.one_off
        overhead = None if cost is None else round(cost, 5)
        data = {"overhead": overhead, "seconds": round(seconds, 3), "once": round(one_off, 3)}
        self.describe(self.last_step, "cost", data)

    def guarded(self) -> FaultGuard:
        """Returns a context that keeps faults of the recorder away from training."""
        return FaultGuard(self.fail)

    def fail(self, error: BaseException) -> None:
        """Warns once, with the traceback, and switches the recorder off; training goes on.

        That recording stopped is recorded, diagnosed, printed and written, as far as that is still possible.
        """
        if os.environ.get("TB_WEIGHTWATCH_STRICT") == "1":
            raise error
        if self.off:
            return
        self._stop(error)
        text = "".join(traceback.format_exception(error))
        warn(f"tb_weightwatch failed and has switched itself off; training goes on unrecorded.\n{text}")

    def _stop(self, error: BaseException) -> None:
        """Keeps what was measured until then, and says that recording has stopped; each part of this may fail too."""
        may_fail = contextlib.suppress(Exception)
        for flush in self._flush * 2:  # the first one may raise the error of a step that was measured meanwhile
            with may_fail:
                flush()
        self.off = True
        with may_fail:
            step = max(self.last_step, self.failed_step or max(self.begun, self.completed_steps))
            self.describe(step, "stopped", {"reason": fault_reason(error)})
        self._diagnosis = diagnosis = self._last_diagnosis()
        with may_fail:
            self._news.stopped(diagnosis)
        with may_fail:
            self._writer.judged(diagnosis)
        with may_fail:
            self._writer.flush()

    def end(self, how: str, detail: str = "", about: Mapping[str, Any] | None = None) -> None:
        """Records that training ended (see `Ending`), diagnoses, prints what is new and flushes; it may still go on."""
        if self.off:
            return
        for flush in self._flush:
            flush()
        self._budget.pause()
        if self._is_ended:
            return
        self._describe_cost()
        last = max(self.last_step, self.completed_steps)  # the last steps may not have been recorded
        self.describe(last, "end", {"how": how, "detail": detail, **(about or {})})
        self._ended_after = self.completed_steps
        self._diagnosis = None
        self._writer.judged(self.diagnosis)
        self._news.end(self.diagnosis)
        self._writer.flush()

    @property
    def _is_ended(self) -> bool:
        return self._ended_after == self.completed_steps

    def _end_guarded(self, how: str, detail: str) -> None:
        with self.guarded():
            self.end(how, detail)

    def _close_at_exit(self, error: BaseException | None) -> None:
        self.close(*ending_of(error, self.completed_steps, without="closed"))

    def close(self, how: str = "closed", detail: str = "", about: Mapping[str, Any] | None = None) -> None:
        """Ends the launch unless it has ended, and closes the event file; closing again does nothing."""
        self._exit_handlers.remove()
        with self.guarded():
            for flush in self._flush:
                flush()
            already_written = self._is_ended
            self.end(how, detail, about)
            # A caller's own writer may have been closed since all was written.
            with contextlib.suppress(RuntimeError) if already_written else contextlib.nullcontext():
                self._writer.close()
        self.off = True
