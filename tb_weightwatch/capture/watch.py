"""The hand-written loop: one line, `watch.step(loss)`, at the end of each training step."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import tensorflow as tf

from .arguments import checked_logdir, received
from .loop.arguments import INSIDE_FUNCTION, NOTHING_TO_WATCH, checked_variables, model_list, optimizer_list
from .loop.gradient_arguments import reject_wrong_structure
from .loop.step_arguments import LossLists, check_lengths, check_values
from .loop.step_recorder import LoopStepRecorder
from .loop.targets import WatchTargets
from .loop.tensors_for_variables import TensorsForVariables
from .measure.pipeline import MeasurementPipeline
from .observe import replicas
from .observe.run_ending import ending_of, handled_exception
from .probing import ON_VERDICT, Probing
from .recorder import Recorder
from .recording import Recording
from .schedule.recording_gate import RecordingGate

if TYPE_CHECKING:
    from ..diagnosis import RuleSettings
    from ..probes import ProbeReport
    from .arguments.types import (
        Batch,
        Data,
        Gradients,
        LogDir,
        LossValue,
        Model,
        Optimizer,
        TensorRequests,
        Variable,
    )

_MOST_EXCEPTIONS = 8  # of the optimizer, since a program may catch one in each step and go on


class Watch(Recording):
    """Records why weights move, or don't, in a hand-written training loop, and reports the reason.

    The loop may be eager, or call a `@tf.function` (also with `jit_compile=True`). Make the Watch before the loop and
    call `step` at the end of each step. Gradients and layer outputs are observed in eager code only; from a traced
    function, return the gradients and pass them to `step`.

        watch = ww.Watch("logs/run-2", model=model, optimizer=optimizer)
        for x, y in batches:
            ...
            watch.step(loss)
        watch.close()

    Args:
        logdir: folder of the run (events go to `<logdir>/weightwatch`), or a `tf.summary` writer of your own.
        model: Keras model, or a list of them.
        optimizer: optimizer, or a list of them.
        variables: variables to watch without a model, or in addition to it.
        overhead: share of training time that recording may cost; None records on a fixed schedule.
        rules: name or code of a rule -> thresholds by name, or False to mute it: `{502: False}`.
        verbose: prints a new answer as training runs.
        maps: records histograms and motion maps from time to time (`History.maps`).
        tensors: names of variables ("dense/kernel") or patterns ("*/kernel") whose gradients and weights are recorded
            in full whenever maps are recorded; or name -> steps.

    Raises:
        OSError: the folder cannot be written.
        TypeError: an argument is something else: no folder, an optimizer class instead of an optimizer ...
        ValueError: `overhead`, `rules` or `tensors` is not valid.
        RuntimeError: a `tf.function` is being traced.
        NotImplementedError: they belong to a ParameterServerStrategy.
    """

    def __init__(  # noqa: PLR0913
        self,
        logdir: LogDir,
        model: Model | Sequence[Model] | None = None,
        optimizer: Optimizer | Sequence[Optimizer] | None = None,
        variables: Iterable[Variable] | None = None,
        *,
        overhead: float | None = 0.02,
        rules: RuleSettings | None = None,
        verbose: bool = True,
        maps: bool = True,
        tensors: TensorRequests = (),
    ) -> None:
        if tf.inside_function():
            raise RuntimeError("ww.Watch(...) must be made outside of tf.function, before the loop")
        destination: LogDir | None = checked_logdir(logdir)
        models, optimizers = model_list(model), optimizer_list(optimizer)
        own_variables = checked_variables(variables)
        strategy = replicas.strategy_of(*models, *own_variables)
        if not strategy.extended.should_save_summary:
            destination = None  # of several workers only the chief records; all train the same weights
        self._gate = RecordingGate(overhead, maps, tensors)
        self._recorder = Recorder(destination, kind="loop", budget=self._gate.budget, rules=rules, verbose=verbose)
        self._pipeline = MeasurementPipeline(self._recorder, self._gate)
        self._targets = WatchTargets(models, optimizers, own_variables, strategy.num_replicas_in_sync)
        self._tensors, self._loss_lists = TensorsForVariables(), LossLists()
        self._steps = LoopStepRecorder(self._targets, self._recorder, self._update_raised)
        self._closed, self._step = False, 0
        self._anything_watched = False  # since the first recorded step
        self._probing = Probing(self._recorder, self._gate.budget, asked=False)
        self._exceptions = 0  # of the optimizer, recorded so far
        self._outer_exception = id(handled_exception())  # training goes on in a block that handles this one
        self._recorder.count_steps_with(self._completed_steps)
        self._recorder.look_for_end_with(self._note_exception)
        with self._recorder.guarded():
            self._steps.begin_step()
            self._targets.describe(self._recorder, 0)
            self._recorder.describe(0, "facts", replicas.distribution_facts(strategy))
            for item in models:
                self._recorder.adopt_preflight(item)
        self._gate.budget.begin()
        self._gate.begin_step(recording=self._is_due(1), background_idle=True)
        self._gate.leave_untimed()  # much may be done before the loop begins

    def step(  # noqa: PLR0913
        self,
        loss: LossValue | None = None,
        *,
        inputs: Batch | None = None,
        targets: Batch | None = None,
        predictions: Batch | None = None,
        gradients: Gradients | None = None,
        variables: Iterable[Variable] | None = None,
    ) -> None:
        """Marks the end of a training step; what is not given is taken from what was observed of an eager step.

        Types and shapes are checked at recorded steps, of which the first step is one. A step whose arguments do not
        fit is not recorded.

        Args:
            loss: true loss of the batch: a number, or losses of any one shape (of samples, tokens, or a list of
                losses), which are averaged.
            inputs: what the model was called with.
            targets: what the model should have predicted, for the same samples as `predictions`.
            predictions: what the model predicted.
            gradients: (gradient, variable) pairs as given to the optimizer; or a gradient for each trainable watched
                variable, or else for each of `variables`. Each has the shape of its variable, or is None.
            variables: variables to watch from now on, in addition to those watched already.

        Raises:
            RuntimeError: a function is being traced, or the Watch is closed.
            TypeError: a value is something else: a string, a dict of losses, a model ...
            ValueError: shapes do not fit, `gradients` cannot be matched with variables, nothing is watched, or a value
                belongs to a traced function or to one replica.
        """
        if not tf.executing_eagerly():
            raise RuntimeError(INSIDE_FUNCTION)
        if self._closed:
            raise RuntimeError("this Watch is closed; make a new one to go on recording")
        if self._probing.running:
            return  # a step of an experiment, whose step function calls this method
        gate, now = self._gate, time.perf_counter()
        self._step += 1
        if self._step + 1 < gate.idle_until and now < gate.next_check_at:
            gate.step_began = now
            return
        if self._recorder.off:
            self._steps.remove_hooks()
            return
        gate.end_step(now)
        try:
            if gate.recording:
                self._record(loss, {"x": inputs, "y": targets, "y_pred": predictions}, gradients, variables)
        finally:  # also after a wrong argument, since the program may catch the error and go on
            self._prepare_next_step(now)

    def _record(self, loss: Any, data: dict[str, Any], gradients: Any, variables: Any) -> None:
        """Checks what `step` was given and has the step measured."""
        self._outer_exception, targets = id(handled_exception()), self._targets
        check_values(loss, {"inputs": data["x"], "targets": data["y"], "predictions": data["y_pred"]})
        self._loss_lists.check(loss)
        reject_wrong_structure(gradients, targets.variables)
        data = {name: replicas.concat_replicas(value) for name, value in data.items()}
        check_lengths(data["y"], data["y_pred"])
        targets.begin_step()
        variables, gradients, facts = self._tensors.take_out(self._step, variables, gradients)
        given = checked_variables(variables)
        targets.add(given)
        matched = {} if gradients is None else targets.match_gradients(gradients, given)
        self._anything_watched |= bool(targets.models or targets.own.variables or self._tensors.seen)
        if not self._anything_watched:
            raise ValueError(NOTHING_TO_WATCH)
        with self._recorder.guarded(), tf.init_scope():
            if facts:
                self._recorder.describe(self._step, "facts", facts)
            step = self._steps.record(self._step, loss, data, matched)
            if step.data["x"] is not None and step.data["y"] is not None:
                self._probing.keep((step.data["x"], step.data["y"]))
            self._pipeline.submit(self._step, step)

    def probe(
        self,
        x: Data | None = None,
        y: Batch | None = None,
        *,
        when: Literal["on-verdict", "now"] = ON_VERDICT,
        **options: Any,
    ) -> ProbeReport | None:
        """Runs experiments once, when the answer is only likely or the training is stuck for an unknown reason.

        Call it between two steps, after `step`; it costs next to nothing as long as nothing is to be settled.

            for batch in batches:
                watch.step(train_step(*batch))
                watch.probe(step_fn=train_step, batches=batches)

        Args:
            x: inputs; None: those of the last recorded steps, if `step` was given `inputs` and `targets`.
            y: targets.
            when: "on-verdict", or "now" to run the experiments in any case.
            options: further arguments of `ww.probe`: `step_fn` and `batches`, or `loss`.

        Returns:
            A `ProbeReport`; None if experiments are not needed (any more).

        Raises:
            RuntimeError: the Watch is closed.
            ValueError: `when` is something else.
            TypeError, ValueError: with "now", as for `ww.probe`; else such an exception is a RuntimeWarning.
        """
        if self._closed:
            raise RuntimeError("the Watch is closed; call watch.probe before watch.close()")
        if when not in ("now", ON_VERDICT):
            raise ValueError(f'when must be "{ON_VERDICT}" or "now", got {received(when)}')
        if when == ON_VERDICT:
            self._probing.asked = not self._probing.ran
            if not self._probing.is_due(self._recorder.latest_diagnosis):
                return None
        self._flush()
        models, optimizers = self._targets.models, self._targets.optimizers
        known = {"model": models[0] if models else None, "optimizer": optimizers or None, "x": x, "y": y}
        if "step_fn" in options:
            known["variables"] = list(self._targets.trained_variables())
        with self._steps.suspended():
            run = self._probing.run if when == "now" else self._probing.run_by_itself
            report = run(**{**known, **options})
        self._gate.leave_untimed()  # experiments are no part of the step that begins
        return report

    def _prepare_next_step(self, entered: float) -> None:
        """Prepares for the next step; charges the budget for the time since `entered`, when `step` was called."""
        gate, due = self._gate, False
        with self._recorder.guarded():
            due = self._is_due(self._step + 1)
            if due:
                with tf.init_scope():
                    self._steps.begin_step()
            else:
                if gate.recording:
                    self._steps.skip_step()
                    self._pipeline.schedule_flush()
                gate.not_recorded(self._step + 1)
            self._pipeline.write_if_due(self._step)
        background_idle = self._pipeline.idle
        # In the first two steps functions of our own are traced, which is done once.
        charge = gate.budget.add_one_off if self._step <= 2 else gate.budget.add_row_cost
        charge(time.perf_counter() - entered)
        gate.begin_step(recording=due, background_idle=background_idle)

    def _is_due(self, step: int) -> bool:
        return not self._recorder.off and self._gate.due(step)

    def close(self) -> None:
        """Ends the recording of this training; closing again does nothing.

        In an `except` or `finally` block the exception that is being handled is recorded as what ended the training.
        """
        self._close(self._ending_exception())

    def _close(self, error: BaseException | None) -> None:
        if not self._closed:
            self._closed = True
            self._recorder.close(*ending_of(error, self._step))
            self._steps.remove_hooks()

    def _ending_exception(self) -> BaseException | None:
        """Returns the exception that is being handled; None if it is one under which training went on."""
        error = handled_exception()
        return error if id(error) != self._outer_exception else None

    def _note_exception(self) -> None:
        error = self._ending_exception()
        if error is not None and not self._closed:
            self._stop(error, in_step=False)

    def _update_raised(self, error: BaseException) -> None:
        """Records an exception of the optimizer at once: the program may catch it, and never close this Watch."""
        self._exceptions += 1
        if self._recorder.off or self._exceptions > _MOST_EXCEPTIONS:
            return
        with self._recorder.guarded(), tf.init_scope():
            self._targets.describe(self._recorder, self._recorder.last_step)
            self._stop(error, in_step=True)

    def _stop(self, error: BaseException, *, in_step: bool) -> None:
        ending = ending_of(error, self._step, in_step=in_step)
        if ending.how == "exception":
            self._recorder.end(*ending)
            self._gate.budget.begin()  # training may go on

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close(error)
