"""The recorder behind the callback, the loop and the summary functions: it owns the History and all that is written."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..diagnosis import RuleSettings, checked_rules
from ..history import History, Rows
from ..maps import TENSORS, Map
from ..schema import MAX_LAUNCH_CELLS, as_stored, cell_count, map_as_stored
from ..verdict import Diagnosis, Experiment
from ..writer import EventWriter, StandardSummaries, SummarySettings
from . import exit_handlers
from .alerts import Alerts, OnVerdict
from .console_news import ConsoleNews
from .live_diagnosis import LiveDiagnosis
from .preflight_results import recall
from .record_keeper import RecordKeeper
from .recording_end import DISK_WAIT, RecordingEnd
from .schedule.budget import Budget
from .sinks import sink_of

if TYPE_CHECKING:
    from .arguments.types import LogDir

NO_SUMMARIES = SummarySettings()  # nothing for TensorBoard's own tabs
# Values in rows (5 bytes each) after which bursts are recorded only as the step count grows by half, so that there is
# room for them for ever. A reader takes `MAX_LAUNCH_CELLS`, and what it does not take would be missing in the panel.
MANY_CELLS = MAX_LAUNCH_CELLS // 2


class Recorder(RecordingEnd):
    """Keeps and writes what is recorded, and diagnoses it from time to time.

    Args:
        destination: folder of the run, or a `tf.summary` writer; None: nothing is recorded.
        kind: "fit", "loop" or "summary".
        budget: measures what recording costs; the cost is recorded as well.
        rules: name or code of a rule -> thresholds by name, or False to mute the rule.
        verbose: prints a new answer.
        on_verdict: the user's function that gets alerts.
        summaries: what is written for TensorBoard's own tabs.

    Attributes:
        alerts: what is new in the diagnosis, until it is delivered.

    Raises:
        OSError: the folder cannot be written.
        TypeError: `destination` or `rules` is something else.
        ValueError: `rules` is not valid.
    """

    def __init__(  # noqa: PLR0913
        self,
        destination: LogDir | None,
        *,
        kind: str,
        budget: Budget,
        rules: RuleSettings | None = None,
        verbose: bool = True,
        on_verdict: OnVerdict | None = None,
        summaries: SummarySettings = NO_SUMMARIES,
    ) -> None:
        settings = checked_rules(rules)
        super().__init__(off=destination is None)
        started = time.time()
        launch = f"{int(started)}-{os.urandom(3).hex()}"
        self.history = History(launch, started=started)
        self._given_folder = os.fspath(destination) if isinstance(destination, (str, os.PathLike)) else None
        self._budget, self._cells = budget, 0
        self._sink = sink_of(destination)
        self._writer = EventWriter(self._sink, launch, started, history=self.history)
        self.summaries = StandardSummaries(self._sink, self.history, summaries)
        self._records = RecordKeeper(self.history, self._writer, budget)
        self._diagnosis = LiveDiagnosis(self.history)
        self._news, self.alerts = ConsoleNews(verbose), Alerts(on_verdict)
        for recording in exit_handlers.watched():
            recording.look_for_end(self.folder)
        with self.guarded():
            self._records.describe(0, "config", {"rules": settings, "overhead": budget.share})
            self._records.describe(0, "facts", {"recorder": {"kind": kind}})

    @property
    def folder(self) -> str | None:
        """The folder of the run; None if it is not known. It is another one than was given if others record there."""
        return self._sink.folder or self._given_folder

    def describe(self, step: int, kind: str, data: Mapping[str, Any]) -> None:
        """Keeps and writes a dated record; of facts and described items only those that changed."""
        self.go_on()
        self._records.describe(step, kind, data)

    def adopt_preflight(self, model: Any) -> None:
        """Records the result of an earlier `preflight` of that model, once a launch."""
        result = recall(model)
        if result is not None and result not in [record.data for record in self.history.of_kind("preflight")]:
            self.describe(self.last_step, "preflight", result)

    def append(self, rows: Rows) -> None:
        """Keeps rows in the form in which a reader will get them, writes them, and diagnoses when that is due."""
        if self.off or not len(rows):
            return
        self.go_on()
        stored = as_stored(rows)
        self.history.append(stored)
        self._cells += cell_count(stored)
        self._budget.rows_fill_memory = self._cells > MANY_CELLS
        self._ended_after = -1
        self._writer.append(stored)
        self.summaries.append(stored)
        self._records.describe_cost_if_due(self.last_step)
        self._tell_of_losses()
        if self._diagnosis.is_due:
            self._publish(self._diagnosis.present())

    def add_experiments(self, experiments: Iterable[Experiment]) -> None:
        """Keeps and writes what experiments have shown after the completed steps, and diagnoses anew."""
        step = self.completed_steps
        for experiment in experiments:
            self.describe(step, "experiment", replace(experiment, step=step).as_dict())
        self._diagnosis.outdate()
        if not self.off:
            self._publish(self.diagnosis)
            self._finish(None) if self._is_ended else self.flush()

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
        """Writes what is pending, so that other processes can read it; waits for the disk, but not for ever."""
        if not self.off:
            self._writer.finish(DISK_WAIT, close=False)

    @property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis of all rows so far; if that fails, recording stops, and the diagnosis says so."""
        try:
            return self._diagnosis.present()
        except Exception as error:
            self.fail(error)
        return self._diagnosis.latest or self._diagnosis.after_failure()

    @property
    def latest_diagnosis(self) -> Diagnosis | None:
        """The last diagnosis that was made, which later rows may have outdated; None if there is none."""
        return self._diagnosis.latest

    @property
    def last_step(self) -> int:
        """The last recorded step, or 0."""
        return int(self.history.steps[-1]) if len(self.history) else 0
