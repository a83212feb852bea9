"""Scalars, histograms and hyperparameters for TensorBoard's own tabs, which are written on request only."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from numpy.typing import NDArray

from ..history import History, Rows
from ..verdict import Diagnosis
from .queued_sink import QueuedSink
from .recorded_scalars import ScalarSelection
from .recorded_settings import answer_of, settings_of
from .summary_values import buckets, histograms_summary, hyperparameters_summary, scalars_summary

MOST_HISTOGRAMS = 200  # variables of a step
MOST_COUNTED = 1 << 22  # values of all histograms of a step together
_CERTAIN_AFTER = 64  # completed steps: an answer that is undecided before may be decided when training goes on
_MOST_EPOCHS = 64  # that have begun since the last recorded step


class SummarySettings(NamedTuple):
    """What is written for TensorBoard's own tabs.

    Attributes:
        scalars: scalars and hyperparameters are written.
        histograms: histograms are written whenever maps are due.
        scalar_steps: steps between two scalars of a tag, at least.
        scalar_epochs: scalars are written once an epoch only.
        histogram_epochs: histograms are also written after the begin of every n-th epoch; 0: they are not.
    """

    scalars: bool = False
    histograms: bool = False
    scalar_steps: int = 1
    scalar_epochs: bool = False
    histogram_epochs: int = 0


class StandardSummaries:
    """Writes what TensorBoard's Scalars, Histograms, Distributions and HParams tabs show of one launch.

    All of it goes through the queue that rows go through, without waiting. It is the first to be left out if the disk
    is slow. It is not written again where it was removed.

    Args:
        sink: takes the Summaries.
        history: what is recorded.
        settings: what is written.
    """

    def __init__(self, sink: QueuedSink, history: History, settings: SummarySettings) -> None:
        self._sink, self._history, self._settings = sink, history, settings
        self._selection = ScalarSelection(history)
        self._next_step = 0  # before which no scalar is due
        # After how many steps epochs began for which there are no scalars, or histograms, yet.
        self._scalar_epochs: deque[int] = deque(maxlen=_MOST_EPOCHS)
        self._histogram_epochs: deque[int] = deque(maxlen=_MOST_EPOCHS)
        self._is_settled = not settings.scalars  # whether hyperparameters are written

    def begin_epoch(self, epoch: int, completed: int) -> None:
        """Notes that an epoch (from 0) begins after so many completed steps."""
        self._scalar_epochs.append(completed)
        every = self._settings.histogram_epochs
        if every and epoch % every == 0:
            self._histogram_epochs.append(completed)

    def append(self, rows: Rows) -> None:
        """Writes scalars of recorded rows."""
        if not self._settings.scalars:
            return
        summaries = []
        for row in range(len(rows)):
            step = int(rows.steps[row])
            if self._is_scalar_due(step):
                numbers = self._selection.numbers(rows, row)
                summaries.append((scalars_summary(numbers), step, float(rows.times[row])))
        self._sink.offer(summaries)

    def are_histograms_due(self, step: int, *, maps_due: bool) -> bool:
        """Checks whether histograms of a step are to be written; ask for steps in increasing order, and only once."""
        return (self._settings.histograms and maps_due) | _passed(self._histogram_epochs, step)

    def write_histograms(self, step: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Writes histograms of the arrays of one step, such as "gradient/dense/kernel"."""
        most = max(1, MOST_COUNTED // max(1, len(arrays)))
        tables = {name: buckets(values, most) for name, values in arrays.items()}
        known = {name: table for name, table in tables.items() if table is not None}
        self._sink.offer([(histograms_summary(known), step, time.time())])

    def end(self, how: str, diagnosis: Diagnosis, completed: int, *, is_last: bool = False) -> bool:
        """Writes settings and answer of the launch as hyperparameters, once: TensorBoard reads only the first ones.

        Args:
            how: see `Ending`.
            diagnosis: the answer; while it is undecided after few steps, a later end is waited for.
            completed: completed steps.
            is_last: there is no later end.

        Returns:
            whether they are written now.
        """
        is_failure = how in ("exception", "signal")
        is_early = diagnosis.status == "undecided" and completed < _CERTAIN_AFTER and not is_failure
        if self._is_settled or (is_early and not is_last):
            return False
        history, settings = self._history, {**settings_of(self._history), "answer": answer_of(diagnosis)}
        summary = hyperparameters_summary(settings, history.launch, history.started, failed=is_failure)
        self._is_settled = self._sink.offer([(summary, completed, time.time())])
        return self._is_settled

    def _is_scalar_due(self, step: int) -> bool:
        if self._settings.scalar_epochs:
            return _passed(self._scalar_epochs, step)
        if step < self._next_step:
            return False
        self._next_step = step + self._settings.scalar_steps
        return True


def _passed(epochs: deque[int], step: int) -> bool:
    """Removes the epochs that began before this step; returns whether there are any."""
    passed = False
    while epochs and epochs[0] < step:
        epochs.popleft()
        passed = True
    return passed
