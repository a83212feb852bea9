"""What callback and loop show of their recording while it goes on."""

from __future__ import annotations

from ..history import History
from ..verdict import Diagnosis
from .measure.pipeline import MeasurementPipeline
from .recorder import Recorder


class Recording:
    """The diagnosis and the History of a launch that is being recorded."""

    _recorder: Recorder
    _pipeline: MeasurementPipeline

    @property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis of all steps recorded so far."""
        self._flush()
        return self._recorder.diagnosis

    @property
    def history(self) -> History:
        """All steps and records so far."""
        self._flush()
        return self._recorder.history

    def _flush(self) -> None:
        with self._recorder.guarded():
            self._pipeline.flush()
