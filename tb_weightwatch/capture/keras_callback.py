"""The Keras callback: one line in `model.fit(..., callbacks=[ww.WeightWatch("logs/run-1")])`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import keras
import tensorflow as tf

from .alerts import OnVerdict, checked_action
from .arguments import DEFAULT_LOGDIR, with_familiar_names
from .copying import CopiedBeforeUse
from .fit.fit_recording import FitRecording
from .fit.step_recorder import FitStepRecorder
from .legacy.callback_protocol import LegacyCallbackProtocol
from .observe import replicas
from .observe.fault_guard import entry_point
from .observe.run_ending import latest_exceptions
from .probing import checked_occasion
from .recorder import Recorder
from .schedule.recording_gate import RecordingGate

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..diagnosis import RuleSettings
    from ..probes import ProbeReport
    from .arguments.familiar_names import FamiliarNamesOfFit
    from .arguments.types import Batch, Data, LogDir, TensorRequests


class WeightWatch(FitRecording, CopiedBeforeUse, LegacyCallbackProtocol, keras.callbacks.Callback):  # type: ignore[misc]
    """Records why weights move, or don't, while `model.fit` runs, and reports it.

        watch = ww.WeightWatch("logs/run-1")
        model.fit(x, y, callbacks=[watch])
        print(watch.diagnosis)

    Steps that are not recorded run the user's own train function, unchanged. A second `fit` of the same model continues
    the launch; another model starts a new one.

    Before it is used it may be copied and pickled. A copy records a launch of its own, in the same folder, or for a
    search of KerasTuner in a folder of the trial, such as "logs/0003/execution0".

    Args:
        logdir: folder of the run (events go to `<logdir>/weightwatch`), or a `tf.summary` writer of your own.
        overhead: share of training time that recording may cost; None records on a fixed schedule.
        rules: name or code of a rule -> thresholds by name, or False to mute it: `{502: False}`.
        verbose: prints new verdicts while training runs.
        maps: records histograms and motion maps at intervals (`History.maps`).
        tensors: names of variables ("dense/kernel") or patterns ("*/kernel") whose gradients and weights are recorded
            in full whenever maps are; or name -> steps.
        probe: "on-verdict" runs experiments (`ww.probe`) once, between two steps, when the answer is only likely or the
            training is stuck for an unknown reason; they take about 30 seconds at most. None runs none.
        on_verdict: is called between two steps with a `ww.Alert` for each new verdict or symptom: `ww.StopTraining()`,
            `ww.Raise()`, or a function of your own, such as one that sends a message. What it raises ends the training,
            but an OSError, which a message that cannot be sent raises, is a warning.
        scalars: also writes a dozen scalars, and settings and answer as hyperparameters, for TensorBoard's own tabs.
        histograms: also writes histograms of gradients and weights for them, whenever maps are due.
        familiar: arguments of `keras.callbacks.TensorBoard` that mean the same: `log_dir`, `histogram_freq` (epochs),
            `update_freq` (of the scalars).

    Raises:
        OSError: the folder cannot be written.
        TypeError: `logdir` is neither a folder nor a `tf.summary` writer, `rules` is no mapping, `on_verdict` cannot
            be called, or there is no argument of that name.
        ValueError: `overhead`, `rules`, `tensors` or `probe` is not valid.
        NotImplementedError: the callback is made in the scope of a ParameterServerStrategy.
    """

    def __init__(  # noqa: PLR0913
        self,
        logdir: LogDir = DEFAULT_LOGDIR,
        *,
        overhead: float | None = 0.02,
        rules: RuleSettings | None = None,
        verbose: bool = True,
        maps: bool = True,
        tensors: TensorRequests = (),
        probe: Literal["on-verdict"] | None = None,
        on_verdict: OnVerdict | None = None,
        scalars: bool = False,
        histograms: bool = False,
        **familiar: Unpack[FamiliarNamesOfFit],
    ) -> None:
        super().__init__()
        destination, summaries = with_familiar_names(WeightWatch, logdir, scalars, histograms, familiar)
        ask, action = checked_occasion(probe), checked_action(on_verdict)
        replicas.reject_parameter_server(tf.distribute.get_strategy())
        self._prepare_launches(
            lambda: RecordingGate(overhead, maps, tensors),
            lambda budget: Recorder(
                destination,
                kind="fit",
                budget=budget,
                rules=rules,
                verbose=verbose,
                on_verdict=action,
                summaries=summaries,
            ),
            probe=ask,
        )
        options = {"overhead": overhead, "rules": rules, "verbose": verbose, "maps": maps, "tensors": tensors}
        for_tabs = {name: value for name, value in familiar.items() if name != "log_dir"}
        for_tabs |= {"scalars": scalars, "histograms": histograms}
        self._note_arguments(destination, {**options, "probe": probe, "on_verdict": on_verdict, **for_tabs})

    def _is_used(self) -> bool:
        return self._launch_model is not None

    # -- called by Keras

    @entry_point
    def set_model(self, model: keras.Model) -> None:
        """Sets the model. Keras makes its train function after this call, unless an earlier `fit` has."""
        super().set_model(model)
        interrupted = FitStepRecorder.of(model)
        if interrupted is not None:
            interrupted.give_back()
        if getattr(model, "train_function", None) is None:
            self._user_function_untraced = True
        elif model is not self._launch_model:
            self._user_function_untraced = False

    @entry_point
    def on_train_begin(self, logs: Mapping[str, object] | None = None) -> None:
        """Starts a launch, or continues it if the model is the same."""
        model = self.model
        if self._launch_model is not None and self._launch_model is not model:
            self._recorder.close("completed")
            self._start_launch()
        self._launch_model = model
        self._step = max(self._step, self._steps.measured)  # an exception may have come between a step and its end
        self._steps.training, self._in_execution = True, False
        self._recorder.alerts.begin_training()
        self._earlier_exceptions = [id(error) for error in latest_exceptions()]
        self._gate.never_idle()  # the model may have been compiled anew
        self._gate.budget.begin()
        with self._gate.budget.spent_once():
            self._steps.prepare(model, self._step)

    @entry_point
    def on_epoch_begin(self, epoch: int, logs: Mapping[str, object] | None = None) -> None:
        """Notes the begin of an epoch, for what is written once in so many epochs."""
        self._recorder.summaries.begin_epoch(epoch, self._step)

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, object] | None = None) -> None:
        """Replaces the model's train function by the recording one for a step that is due."""
        try:
            self._in_execution = True
            self._idle = self._step + 1 < self._gate.idle_until
            if not self._idle:
                self._begin_execution(batch)
        except Exception as error:
            self._on_fault(error)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, object] | None = None) -> None:
        """Counts the steps and, at the end of a burst, has its rows appended to the History."""
        try:
            if not self._in_execution:  # the callback is given twice, and Keras calls it again
                return
            self._in_execution = False
            if not self._idle:
                self._end_execution(batch)
            else:
                self._step += 1
                if time.perf_counter() >= self._gate.next_check_at:
                    self._pipeline.write_if_due(self._step)
        except Exception as error:
            self._on_fault(error)
        if self._alerts_waiting:
            self._deliver_alerts()
            self.model.stop_training |= bool(self._recorder.alerts.stopped_by)

    def on_train_end(self, logs: Mapping[str, object] | None = None) -> None:
        """Ends the launch; a further `fit` of the same model continues it."""
        self._end_training()
        if self._alerts_waiting:
            self._deliver_alerts()

    @entry_point
    def _end_training(self) -> None:
        self._steps.training = False
        stopped_by = self._recorder.alerts.stopped_by
        self._recorder.alerts.end_training()
        self._recorder.end("stopped" if stopped_by else "completed", stopped_by)

    # -- called by the user

    def probe(self, x: Data | None = None, y: Batch | None = None, **options: Any) -> ProbeReport:
        """Runs experiments on the model as it is now, records them, and returns a `ProbeReport`.

        Args:
            x: inputs, as for `ww.probe`; None: those of the last recorded steps, if `probe="on-verdict"` was given.
            y: targets.
            options: further arguments of `ww.probe`.

        Raises:
            RuntimeError: `fit` has not been called yet.
            TypeError, ValueError: as for `ww.probe`.
        """
        if self._launch_model is None:
            raise RuntimeError("watch.probe needs the model that is trained; call it after model.fit has begun")
        self._flush()
        return self._probing.run(model=self._launch_model, x=x, y=y, **options)
