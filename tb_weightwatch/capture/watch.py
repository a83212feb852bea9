"""The hand-written loop: one line, `watch.step(loss)`, at the end of each training step."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import tensorflow as tf

from .alerts import OnVerdict, checked_action
from .arguments import DEFAULT_LOGDIR, received, with_familiar_names
from .loop.arguments import INSIDE_FUNCTION, checked_variables, model_list, optimizer_list
from .loop.loop_recording import LoopRecording
from .loop.with_block import WithBlock
from .probing import ON_VERDICT
from .schedule.recording_gate import RecordingGate

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..diagnosis import RuleSettings
    from ..probes import ProbeReport
    from .arguments.familiar_names import FamiliarNames
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
    )  # fmt: skip


class Watch(LoopRecording, WithBlock):
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
        on_verdict: is called at the end of `step` with a `ww.Alert` for each new verdict or symptom, as for
            `ww.WeightWatch`. `ww.StopTraining()` makes `should_stop` True.
        scalars: also writes a dozen scalars, and settings and answer as hyperparameters, for TensorBoard's own tabs.
        histograms: also writes histograms of gradients and weights for them, whenever maps are due.
        familiar: arguments of `keras.callbacks.TensorBoard` that mean the same: `log_dir`, `update_freq` (of the
            scalars).

    Raises:
        OSError: the folder cannot be written.
        TypeError: an argument is something else: no folder, an optimizer class instead of an optimizer ...; or there is
            no argument of that name.
        ValueError: `overhead`, `rules` or `tensors` is not valid.
        RuntimeError: a `tf.function` is being traced.
        NotImplementedError: they belong to a ParameterServerStrategy.
    """

    def __init__(  # noqa: PLR0913
        self,
        logdir: LogDir = DEFAULT_LOGDIR,
        model: Model | Sequence[Model] | None = None,
        optimizer: Optimizer | Sequence[Optimizer] | None = None,
        variables: Iterable[Variable] | None = None,
        *,
        overhead: float | None = 0.02,
        rules: RuleSettings | None = None,
        verbose: bool = True,
        maps: bool = True,
        tensors: TensorRequests = (),
        on_verdict: OnVerdict | None = None,
        scalars: bool = False,
        histograms: bool = False,
        **familiar: Unpack[FamiliarNames],
    ) -> None:
        if tf.inside_function():
            raise RuntimeError("ww.Watch(...) must be made outside of tf.function, before the loop")
        destination, summaries = with_familiar_names(Watch, logdir, scalars, histograms, familiar)
        super().__init__(
            destination=destination,
            models=model_list(model),
            optimizers=optimizer_list(optimizer),
            variables=checked_variables(variables),
            gate=RecordingGate(overhead, maps, tensors),
            rules=rules,
            verbose=verbose,
            on_verdict=checked_action(on_verdict),
            summaries=summaries,
        )

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

        Types and shapes are checked at recorded steps, of which the first 16 steps are some. A step whose arguments do
        not fit is not recorded; after the first 16 steps that is a RuntimeWarning, given once, and no exception.

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
        try:
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
            else:
                self._end_step(now, loss, {"x": inputs, "y": targets, "y_pred": predictions}, gradients, variables)
        except Exception as error:
            self._on_fault(error)
        if self._alerts_waiting:
            self._deliver_alerts()
            self._gate.leave_untimed()  # it was no part of the step that begins

    @property
    def should_stop(self) -> bool:
        """Whether `on_verdict` has asked for the end of the training: `if watch.should_stop: break`."""
        return bool(self._recorder.alerts.stopped_by)

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
        report: ProbeReport | None = (
            self._probe_if_due(x, y, options) if when == ON_VERDICT else self._probe(self._probing.run, x, y, options)
        )
        return report
