"""The writer of the summary functions: one launch, whose steps and verdicts the caller hands over."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING

from ..history import History
from ..verdict import Diagnosis, Verdict
from .arguments import checked_logdir
from .measure.summary_rows import SummaryRows
from .observe.as_numpy import VariableArrays
from .observe.library_versions import library_versions
from .observe.run_ending import Ending, ending_of
from .recorder import Recorder
from .recording_repr import recording_repr
from .schedule.budget import Budget

if TYPE_CHECKING:
    from ..diagnosis import RuleSettings
    from .arguments.types import LogDir


class Writer:
    """Where `update` and `verdict` write; made by `ww.summary.create_file_writer`.

    As a context manager it is the default writer inside the block, and is closed at its end.
    """

    def __init__(self, logdir: LogDir, *, rules: RuleSettings | None = None, verbose: bool = True) -> None:
        budget = Budget(None)
        self._recorder = Recorder(checked_logdir(logdir), kind="summary", budget=budget, rules=rules, verbose=verbose)
        self._recorder.count_steps_with(self._completed_steps)
        self._recorder.describe(0, "facts", {"gradients": "raw", "versions": library_versions()})
        self._rows = SummaryRows(self._recorder, budget)
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

    def _completed_steps(self) -> int:
        return self.last_step

    @property
    def closed(self) -> bool:
        """Whether the launch has ended."""
        return self._closed

    def close(self) -> None:
        """Ends the launch and closes its event file; closing again does nothing."""
        self._end(Ending("closed"))

    def __enter__(self) -> Writer:
        self._blocks.append(self.as_default())
        return self._blocks[-1].__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._blocks.pop().__exit__(None, None, None)
        self._end(ending_of(error, self.last_step))

    def _end(self, ending: Ending) -> None:
        if not self._closed:
            self._closed = True
            self._recorder.close(*ending)

    def add_step(self, step: int, variables: Mapping[str, VariableArrays], run: Mapping[str, float]) -> bool:
        """Records one step whose arguments were checked; returns whether it was recorded (`ww.summary.update`)."""
        with self._recorder.guarded():
            self._rows.add(step, variables, run)
        return not self._recorder.off

    def add_verdict(self, item: Verdict) -> bool:
        """Records a verdict; returns whether it was recorded (`ww.summary.verdict`)."""
        with self._recorder.guarded():
            self._recorder.describe(item.first_step, "verdict", item.as_dict())
        return not self._recorder.off


default_writer: ContextVar[Writer | None] = ContextVar("weightwatch_writer", default=None)
