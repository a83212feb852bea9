"""What callback and loop show of their recording while it goes on."""

from __future__ import annotations

from contextlib import ExitStack

from ..history import History
from ..notebook import show
from ..schema import PLUGIN
from ..verdict import Diagnosis
from .fault_handler import FaultHandler
from .measure.pipeline import MeasurementPipeline
from .observe.run_ending import ending_of
from .recording_repr import recording_repr
from .schedule.recording_gate import RecordingGate


class Recording(FaultHandler):
    """The diagnosis and the History of a launch that is being recorded."""

    _pipeline: MeasurementPipeline
    _gate: RecordingGate
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

    def show(self, *, height: int = 800) -> None:
        """Opens the panel with this run: below the cell of a notebook; elsewhere it prints what to run (`ww.show`).

        Args:
            height: height of the frame in pixels.

        Raises:
            RuntimeError: the folder is not known, because a `tf.summary` writer was given or nothing is recorded; or
                TensorBoard cannot be started.
        """
        if self._recorder.folder is None:
            raise RuntimeError("the folder of this recording is not known; call ww.show(logdir) with it")
        self._flush()
        with self._recorder.guarded():
            self._recorder.flush()
        show(self._recorder.folder, run=PLUGIN, launch=self._recorder.history.launch, height=height)

    def __repr__(self) -> str:
        return recording_repr(self, self._recorder)

    def _flush(self) -> None:
        with self._recorder.guarded():
            self._note_exception()
            self._pipeline.flush()

    def _deliver_alerts(self) -> None:
        """Calls the user's function, whose exceptions are meant for the training, outside of any guard of ours."""
        if not self._recorder.alerts.waiting:
            return
        pause = ExitStack()
        with self._recorder.guarded():
            pause.enter_context(self._gate.budget.paused())
        try:
            self._recorder.alerts.deliver()
        except BaseException as error:
            with self._recorder.guarded():
                self._recorder.end(*ending_of(error, self._step))
            raise
        finally:
            with self._recorder.guarded():
                pause.close()

    def _completed_steps(self) -> int:
        return self._step

    def _note_exception(self) -> None:
        """Records an exception that is being handled, if it has ended the training."""
