"""`Watch`: one line at the end of a hand-written step, `watch.step(loss)`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

import tensorflow as tf

from ..history import History
from ..verdict import Diagnosis
from . import _facts as facts
from ._frame import key
from ._loop import Loop
from ._recorder import Recorder


class Watch:
    """Records why weights move, or don't, in a hand-written training loop, and says so.

    Make it before the loop and call `step` once at the end of every training step, outside any `tf.function`. In an
    eager loop gradients, activations, inputs and predictions are seen by themselves; in a step that is a `tf.function`
    pass what is to be seen (`gradients=`, `inputs=`, `targets=`, `predictions=`): nothing is added to your graph.

    Args:
        logdir: folder of the run (events go to `<logdir>/weightwatch`), or a `tf.summary` writer of your own.
        model: a Keras model, or a list of them.
        optimizer: a Keras optimizer, or a list of them.
        variables: `tf.Variable`s or Keras variables, in addition or without a model.
        overhead: share of training time that recording may cost; None records on a fixed schedule.
        rules: rule name -> thresholds by name, or False to mute the rule.
        verbose: prints a new answer as training runs.

    Raises:
        OSError: the folder can not be written.
        ValueError: `overhead` or `rules` is not valid, or there is nothing to watch.
    """

    def __init__(
        self,
        logdir: Any,
        *,
        model: Any = None,
        optimizer: Any = None,
        variables: Iterable[Any] | None = None,
        overhead: float | None = 0.02,
        rules: Mapping[str, Any] | None = None,
        verbose: bool = True,
    ) -> None:
        models, optimizers = _listed(model), _listed(optimizer)
        held = list(variables) if variables is not None else []
        if not models and not optimizers and not held:
            raise ValueError("nothing to watch: expected model=, optimizer= or variables=, got none of them")
        for one in models:
            if not hasattr(one, "trainable_variables"):
                raise ValueError(f"model= must be a Keras model or a list of them, got {type(one).__name__}")
        self._recorder = Recorder(logdir, kind="loop", overhead=overhead, rules=rules, verbose=verbose)
        # A tf.Module has variables, but nothing to hook into.
        modules = [one for one in models if not hasattr(one, "_flatten_layers")]
        held += [v for module in modules for v in module.variables]
        self._loop = Loop([m for m in models if m not in modules], optimizers, held)
        self._step = 0
        self._closed = False
        with self._recorder.guarded():
            known: dict[str, Any] = {"versions": facts.versions(), **facts.optimizer_facts(optimizers)}
            self._recorder.describe(0, "facts", known)
            self._loop.await_step(self._recorder.due(1))

    @property
    def diagnosis(self) -> Diagnosis:
        """The answer from all steps recorded so far."""
        return self._recorder.diagnosis

    @property
    def history(self) -> History:
        """What has been recorded so far."""
        return self._recorder.history

    def step(
        self,
        loss: Any = None,
        *,
        inputs: Any = None,
        targets: Any = None,
        predictions: Any = None,
        gradients: Iterable[Any] | None = None,
        variables: Iterable[Any] | None = None,
    ) -> None:
        """Says that a training step has ended; call it after the optimizer's update.

        Args:
            loss: the step's loss, scalar (of a larger tensor the mean is taken).
            inputs: the batch's inputs; a tensor, array or structure of them, samples first.
            targets: the batch's targets, likewise.
            predictions: the model's predictions, likewise.
            gradients: (gradient, variable) pairs, or gradients alone in the order of the watched trainable variables.
            variables: further variables, where the list changes.

        Raises:
            RuntimeError: called while a graph is being traced, or after `close`.
            ValueError: `gradients` does not fit, or `loss` is not a number.
        """
        if tf.inside_function():
            raise RuntimeError(
                "watch.step() was called while a tf.function is being traced, where it would run once and never again; "
                "return the loss (and gradients) from your @tf.function and call watch.step(loss) outside it"
            )
        if self._closed:
            raise RuntimeError("watch.step() was called after watch.close(); make a new ww.Watch for a new training")
        began = time.perf_counter()
        self._step += 1
        if variables is not None:
            self._loop.given = list({key(v): v for v in [*self._loop.given, *variables]}.values())
        if self._recorder.due(self._step):
            pairs = None if gradients is None else self._paired(gradients)
            number = None if loss is None else _scalar(loss)
            given = {"x": inputs, "y": targets, "y_pred": predictions}
            with self._recorder.guarded():
                self._record(number, {k: v for k, v in given.items() if v is not None}, pairs)
        with self._recorder.guarded():
            self._loop.await_step(self._recorder.due(self._step + 1))
            self._recorder.tick(self._step)
        self._recorder.budget.spent(time.perf_counter() - began)

    def _record(self, loss: Any, data: dict[str, Any], gradients: dict[int, Any] | None) -> None:
        loop, describe = self._loop, self._recorder.describe
        if loop.frame.fault is not None:
            raise loop.frame.fault
        flat, layout, source = loop.row(loss, data, gradients)
        if self._step == 1 or len(layout.variables) != len(self._recorder.history.variables):
            self._describe_model()
            shown = {**loop.frame.data, **data}
            describe(self._step, "facts", facts.shape_facts(*(shown.get(n) for n in ("x", "y", "y_pred"))))
        # Also what may change on the way: trainable, the optimizer's list.
        describe(self._step, "variables", {"items": loop.items()})
        describe(self._step, "layers", {"items": list(loop.layers.values())})
        describe(self._step, "facts", {"gradients": source})
        self._recorder.append(layout.rows(flat, [self._step], [time.time()]))

    def _describe_model(self) -> None:
        for model in self._loop.models[:1]:
            self._recorder.describe(self._step, "facts", facts.model_facts(model))
        self._recorder.describe(self._step, "facts", facts.optimizer_facts(self._loop.optimizers))

    def _paired(self, gradients: Iterable[Any]) -> dict[int, Any]:
        given = list(gradients)
        if given and all(isinstance(one, tuple) and len(one) == 2 for one in given):
            return {key(variable): gradient for gradient, variable in given}
        self._loop._list_variables()
        watched = [v for v in self._loop.variables if getattr(v, "trainable", True)]
        if len(given) != len(watched):
            raise ValueError(
                f"gradients= must be (gradient, variable) pairs, as in zip(gradients, variables), or one gradient for "
                f"each of the {len(watched)} watched trainable variables; got {len(given)} gradients"
            )
        return {key(variable): gradient for gradient, variable in zip(given, watched, strict=True)}

    def close(self) -> None:
        """Ends the recording; closing twice is fine."""
        self._end("completed")

    def _end(self, how: str, detail: str = "") -> None:
        if not self._closed:
            self._closed = True
            self._loop.close()
            self._recorder.close(how, detail)

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            return
        with self._recorder.guarded():
            if self._loop.frame.handed:  # the update itself failed: its gradients may tell why
                self._step += 1
                self._record(None, {}, None)
        self._end("exception", type(error).__name__)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _scalar(loss: Any) -> Any:
    try:
        return tf.reduce_mean(tf.cast(tf.convert_to_tensor(loss), tf.float64))
    except (ValueError, TypeError) as error:
        raise ValueError(f"loss must be a number or a tensor, got {type(loss).__name__}") from error
