"""The writer of the summary functions: one launch, whose steps and verdicts the caller hands over."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..history import History
from ..verdict import Diagnosis, Verdict
from ..writer import SummarySettings
from .arguments import checked_logdir
from .fault_handler import CheckedCalls
from .measure.summary_rows import SummaryRows
from .observe.as_numpy import variable_arrays, whole_number
from .observe.fault_guard import entry_point
from .observe.library_versions import library_versions
from .observe.run_ending import ending_of
from .recorder import Recorder
from .recording_repr import recording_repr
from .schedule.affordable_calls import AffordableCalls
from .schedule.budget import Budget
from .schedule.bursts import ALWAYS_UNTIL
from .summary_arguments import check_labels, evidence_items, named_variables, run_numbers

if TYPE_CHECKING:
    from ..diagnosis import RuleSettings
    from .arguments.types import LogDir


class Writer(CheckedCalls):
    """Where `update` and `verdict` write; made by `ww.summary.create_file_writer`.

    As a context manager it is the default writer inside the block, and is closed at its end.
    """

    def __init__(
        self,
        logdir: LogDir,
        *,
        overhead: float | None,
        rules: RuleSettings | None = None,
        verbose: bool = True,
        scalars: bool = False,
    ) -> None:
        self._budget = Budget(overhead)
        self._calls = AffordableCalls(self._budget)
        self._recorder = Recorder(
            checked_logdir(logdir),
            kind="summary",
            budget=self._budget,
            rules=rules,
            verbose=verbose,
            summaries=SummarySettings(scalars=scalars),
        )
        self._recorder.describe(0, "facts", {"gradients": "raw", "versions": library_versions()})
        self._recorder.count_steps_with(self._completed_steps)
        self._rows, self._step = SummaryRows(self._recorder), 0
        self._closed = False
        self._blocks: list[contextlib.AbstractContextManager[Writer]] = []  # `with` blocks that are open

    def __repr__(self) -> str:
        return recording_repr(self, self._recorder)

    @property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis of all steps so far."""
        return self._recorder.diagnosis

    @property
    def history(self) -> History:
        """What has been recorded so far."""
        return self._recorder.history

    @contextlib.contextmanager
    def as_default(self) -> Iterator[Writer]:
        """Makes this the writer that `update` and `verdict` use inside the block, in this thread."""
        token = default_writer.set(self)
        try:
            yield self
        finally:
            default_writer.reset(token)

    @property
    def last_step(self) -> int:
        """The last step that was recorded, or 0."""
        return self._rows.last_step

    @property
    def closed(self) -> bool:
        """Whether the launch has ended."""
        return self._closed

    def close(self) -> None:
        """Ends the launch and closes its event file; closing again does nothing."""
        if not self._closed:
            self._end(None, without="closed")

    def __enter__(self) -> Writer:
        self._enter_block()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave_block()
        if not self._closed:
            self._end(error, without="completed")

    @entry_point
    def _enter_block(self) -> None:
        block = self.as_default()
        block.__enter__()
        self._blocks.append(block)

    @entry_point
    def _leave_block(self) -> None:
        if self._blocks:  # else it could not be entered
            self._blocks.pop().__exit__(None, None, None)

    @entry_point
    def _end(self, error: BaseException | None, *, without: str) -> None:
        """Ends the launch, with an exception or as is said for a training `without` one."""
        self._closed = True
        self._recorder.close(*ending_of(error, self._step, without=without))

    def _completed_steps(self) -> int:
        return self._step

    def _has_just_begun(self) -> bool:
        return self._calls.count <= ALWAYS_UNTIL

    @entry_point
    def update(self, step: Any, variables: Any, numbers: dict[str, Any]) -> bool:
        """Records one step if it is due; returns whether it was recorded (`ww.summary.update`)."""
        began = time.perf_counter()
        self._check_open()
        number, last = whole_number(step), self._step
        if number <= last:
            raise ValueError(
                f"step must increase from call to call: got {number} after {last} (one call takes all variables)"
            )
        if not self._calls.count:
            self._budget.begin()
        due = self._calls.next_is_due() and not self._recorder.off
        if due:
            arrays = {name: variable_arrays(name, given) for name, given in named_variables(variables)}
            run = run_numbers(**numbers)
            self._step = number
            with self._recorder.guarded():
                self._rows.add(number, number == self._rows.last_step + 1, arrays, run)
            self._budget.add_row_cost(time.perf_counter() - began)
        self._step = number
        return due and not self._recorder.off

    @entry_point
    def add_verdict(self, step: Any, code: Any, evidence: Any, fields: dict[str, Any]) -> bool:
        """Records a verdict; returns whether it was recorded (`ww.summary.verdict`)."""
        self._check_open()
        number = whole_number(step)
        check_labels(fields["link"], fields["severity"], fields["variables"])
        items, names = tuple(evidence_items(evidence, number)), tuple(str(v) for v in fields["variables"])
        name, message, fix = (str(fields[field]) for field in ("name", "message", "fix"))
        item = Verdict(whole_number(code, "code", 0), name, fields["link"], fields["severity"], "certain", names,
                       number, number, False, message, items, fix)  # fmt: skip
        with self._recorder.guarded():
            self._recorder.describe(number, "verdict", item.as_dict())
        return not self._recorder.off

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("this writer is closed; make another with ww.summary.create_file_writer(logdir)")


default_writer: ContextVar[Writer | None] = ContextVar("weightwatch_writer", default=None)
