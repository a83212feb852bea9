"""The hand-written loop: one line, `watch.step(loss)`, at the end of each training step."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

import numpy as np
import tensorflow as tf

from ..history import History
from ..verdict import Diagnosis
from .loop.step_recorder import LoopStepRecorder
from .loop.targets import WatchTargets, as_list, symbolic
from .observe import replicas
from .recorder import Recorder

_INSIDE = (
    "watch.step(...) must be called outside of tf.function, where it can read what the step did; call it right after "
    "the traced function:\n    loss = train_step(x, y)\n    watch.step(loss)"
)


class Watch:
    """Records why weights move, or don't, in a training loop of your own, and says so.

    The loop may be eager, or call a `@tf.function` (also with `jit_compile=True`). Make the Watch before the loop and
    call `step` at the end of each step. Only eager code shows gradients and layer outputs by itself; from a traced
    function, return the gradients and hand them over.

        watch = ww.Watch("logs/run-2", model=model, optimizer=optimizer)
        for x, y in batches:
            ...
            watch.step(loss)
        watch.close()

    Args:
        logdir: folder of the run (events go to `<logdir>/weightwatch`), or a `tf.summary` writer of your own.
        model: Keras model, or a list of them.
        optimizer: optimizer, or a list of them.
        variables: variables to watch where there is no model, or besides it.
        overhead: share of training time that recording may cost; None records on a fixed schedule.
        rules: rule name -> thresholds by name, or False to mute the rule.
        verbose: prints a new answer as training runs.
        maps: records histograms and motion maps now and then (`History.maps`).
        tensors: names of variables ("dense/kernel") or patterns ("*/kernel") whose gradients and weights are recorded
            in full whenever there are maps; or name -> steps.

    Raises:
        OSError: the folder can not be written.
        ValueError: `overhead`, `rules` or `tensors` is not valid.
        TypeError: `model`, `optimizer` or `variables` is something else.
        NotImplementedError: they are of a ParameterServerStrategy.
    """

    def __init__(  # noqa: PLR0913
        self,
        logdir: Any,
        model: Any = None,
        optimizer: Any = None,
        variables: Iterable[Any] | None = None,
        *,
        overhead: float | None = 0.02,
        rules: Mapping[str, Any] | None = None,
        verbose: bool = True,
        maps: bool = True,
        tensors: Any = (),
    ) -> None:
        if tf.inside_function():
            raise RuntimeError("ww.Watch(...) must be made outside of tf.function, before the loop")
        models, optimizers = as_list(model, "model", "call"), as_list(optimizer, "optimizer", "")
        own = [_variable(v) for v in variables or ()]
        strategy = replicas.strategy_of(*models, *own)
        # Of several workers the chief records; all train the same weights.
        logdir = logdir if strategy.extended.should_save_summary else None
        self._recorder = Recorder(
            logdir, kind="loop", overhead=overhead, rules=rules, verbose=verbose, maps=maps, tensors=tensors
        )
        self._closed, self._count = False, 0
        self._rest = 0.0  # the step before which nothing need be asked
        self._watched = WatchTargets(models, optimizers, own, strategy.num_replicas_in_sync)
        self._loop = LoopStepRecorder(self._watched, self._recorder)
        self._recorder.collect = self._loop.steps.collect
        self._due, self._alone = self._recorder.due(1), True
        with self._recorder.guarded():
            self._loop.open()
            self._watched.describe(self._recorder, 0)
            self._recorder.describe(0, "facts", replicas.distribution_facts(strategy))
            for one in models:
                self._recorder.looked_at(one)
        self._recorder.budget.begin()
        self._left: float | None = None  # when the last step() returned

    def step(  # noqa: PLR0913
        self,
        loss: Any = None,
        *,
        inputs: Any = None,
        targets: Any = None,
        predictions: Any = None,
        gradients: Iterable[Any] | None = None,
        variables: Iterable[Any] | None = None,
    ) -> None:
        """Says that a training step is over; what is not given is taken from what an eager step showed.

        Args:
            loss: true loss of the batch (a vector of losses is averaged).
            inputs: what the model got.
            targets: what it should have answered.
            predictions: what it answered.
            gradients: (gradient, variable) pairs as given to the optimizer; or gradients alone, one for each trainable
                watched variable, in their order.
            variables: watched variables from now on, beside those known.

        Raises:
            RuntimeError: a function is being traced, or the Watch is closed.
            ValueError: `gradients` can not be matched with variables, or a value is of a traced function.
        """
        if not tf.executing_eagerly():
            raise RuntimeError(_INSIDE)
        if self._closed:
            raise RuntimeError("this Watch is closed; make a new one to go on recording")
        began = time.perf_counter()
        self._count += 1
        if self._count + 1 < self._rest and began < self._loop.steps.look:
            self._left = began
            return
        recorder = self._recorder
        if recorder.off:
            self._loop.remove()
            return
        if self._left is not None:
            recorder.budget.stepped(began - self._left, self._due or not self._alone)
        if self._due:
            data = {"x": inputs, "y": targets, "y_pred": predictions}
            self._check(loss=loss, inputs=inputs, targets=targets, predictions=predictions)
            data = {name: replicas.concat_replicas(value) for name, value in data.items()}
            self._watched.add([_variable(v) for v in variables or ()])
            pairs = None if gradients is None else self._watched.pairs(gradients)
            with recorder.guarded(), tf.init_scope():
                self._loop.record(self._count, loss, data, pairs)
        self._next()
        spent = time.perf_counter() - began
        # The first steps trace our functions, which is done once.
        (recorder.budget.prepared if self._count <= 2 else recorder.budget.spent)(spent)
        self._left = time.perf_counter()

    def _check(self, **given: Any) -> None:
        if replicas.is_per_replica(given["loss"]):
            raise ValueError(
                "loss must be one value, got one of each replica; reduce it: "
                'watch.step(strategy.reduce("SUM", loss, axis=None)), or "MEAN" where it is not yet divided by the '
                "size of the whole batch"
            )
        for name, value in given.items():
            if any(symbolic(x) for x in tf.nest.flatten(value)):
                raise ValueError(
                    f"{name} must be a value, got a tensor of a traced tf.function; return it from the function: "
                    "loss, ... = train_step(x, y)"
                )

    def _next(self) -> None:
        """Gets ready for the next step, if it is to be recorded; else lets go of everything."""
        with self._recorder.guarded():
            was, self._due = self._due, self._recorder.due(self._count + 1)
            if was or self._due:  # a scope takes longer than all that other steps cost
                with tf.init_scope():
                    self._turn()
            if not self._due:
                self._rest = self._loop.steps.skip(self._count + 1)
            self._loop.steps.tick(self._count)
        self._alone = self._loop.steps.idle

    def _turn(self) -> None:
        if self._due:
            self._loop.open()
        else:
            self._loop.shut()
            self._loop.steps.gather()

    @property
    def diagnosis(self) -> Diagnosis:
        """The answer from all steps recorded so far."""
        with self._recorder.guarded():
            self._loop.steps.collect()
        return self._recorder.diagnosis

    @property
    def history(self) -> History:
        """What has been recorded so far."""
        with self._recorder.guarded():
            self._loop.steps.collect()
        return self._recorder.history

    def close(self) -> None:
        """Ends the record of this training; closing twice is fine."""
        self._close("completed")

    def _close(self, how: str, detail: str = "") -> None:
        if not self._closed:
            self._closed = True
            self._recorder.close(how, detail)
            self._loop.remove()

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._close("exception", kind.__name__)


def _variable(value: Any) -> Any:
    if not (hasattr(value, "shape") and hasattr(value, "dtype") and hasattr(value, "assign")):
        raise TypeError(f"variables must be Keras or TensorFlow variables, got {type(value).__name__}")
    if isinstance(value, np.ndarray):
        raise TypeError("variables must be Keras or TensorFlow variables, got a numpy array")
    return value
