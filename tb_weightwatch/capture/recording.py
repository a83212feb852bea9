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
    _step: int  # completed steps

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
            self._note_exception()
            self._pipeline.flush()

    def _completed_steps(self) -> int:
        return self._step

    def _note_exception(self) -> None:
        """Records an exception that is being handled, if it has ended the training."""
