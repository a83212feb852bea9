"""Where clinic programs run: the same program under `fit` or in a hand-written loop, with the recorder attached."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from sklearn import datasets

L = keras.layers
O = keras.optimizers  # noqa: E741


@cache
def data(name: str, scaled: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Returns inputs and targets of one of scikit-learn's bundled sets; regression targets standardised if `scaled`."""
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    x, y = x.astype("float32"), y.astype("float32" if name == "diabetes" else "int32")
    order = np.random.default_rng(7).permutation(len(x))
    x, y = x[order], y[order]
    if scaled:
        x = x / 16 if name == "digits" else (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-7)
        if name == "diabetes":
            y = (y - y.mean()) / y.std()
    return x.astype("float32"), y.reshape(-1, 1) if name in ("diabetes", "breast_cancer") else y


def mlp(
    inputs: int, *units: Any, activation: str = "relu", last: str | None = None, seed: int = 1, **options: Any
) -> Any:
    """Returns a perceptron; the last of `units` is the output."""
    keras.utils.set_random_seed(seed)
    hidden = [L.Dense(n, activation=activation, **options) for n in units[:-1]]
    return keras.Sequential([L.Input((inputs,)), *hidden, L.Dense(units[-1], activation=last)])


class Lab:
    """One training under observation.

    Args:
        folder: where its event files go.
        bare: in hand-written loops pass the loss alone, as most people will; the rest is seen by hooks.
    """

    def __init__(self, folder: Path, bare: bool = False) -> None:
        self.folder, self.bare = folder, bare
        self.watches: list[Any] = []

    @property
    def history(self) -> Any:
        return self.watches[-1].history

    def watch(self, model: Any, optimizer: Any = None, **options: Any) -> Any:
        """Returns a Watch for a hand-written loop."""
        import tb_weightwatch as ww

        self.watches.append(ww.Watch(str(self.folder), model=model, optimizer=optimizer, verbose=False, **options))
        return self.watches[-1]

    def broke(self, error: Exception) -> None:
        """Ends what is being recorded as it ends when the program dies of an error, and removes hooks."""
        for watch in self.watches:
            if hasattr(watch, "__exit__"):
                watch.__exit__(type(error), error, error.__traceback__)

    def fit(
        self,
        model: Any,
        x: Any,
        y: Any,
        *,
        optimizer: Any = "adam",
        loss: Any = "mse",
        epochs: int = 3,
        batch: int = 32,
        callbacks: Sequence[Any] = (),
        compiled: bool = True,
        **options: Any,
    ) -> Any:
        """Compiles and fits, recorded."""
        return _fit(self, model, x, y, optimizer, loss, epochs, batch, callbacks, compiled, options)

    def loop(
        self,
        model: Any,
        x: Any,
        y: Any,
        *,
        optimizer: Any,
        loss: Callable[[Any, Any], Any],
        steps: int = 60,
        batch: int | None = 32,
        apply: bool = True,
        every: int = 1,
        forward: Callable[[Any], Any] | None = None,
        variables: Any = None,
        change: Callable[[list[Any]], list[Any]] | None = None,
    ) -> Any:
        """Trains by hand, recorded: one tape, one apply a step."""
        with self.watch(model, optimizer) as watch:
            self._train(watch, model, x, y, optimizer, loss, steps, batch, apply, every, forward, variables, change)
        return watch

    def _train(  # noqa: PLR0917
        self,
        watch: Any,
        model: Any,
        x: Any,
        y: Any,
        optimizer: Any,
        loss: Any,
        steps: int,
        batch: int | None,
        apply: bool,
        every: int,
        forward: Any,
        variables: Any,
        change: Any,
    ) -> None:
        rng = np.random.default_rng(3)

        def forwards(xb: Any, yb: Any) -> Any:
            with tf.GradientTape() as tape:
                p = model(xb, training=True) if forward is None else forward(xb)
                value = loss(yb, p)
            return p, value, tape.gradient(value, listed)

        kept: list[Any] | None = None
        listed = model.trainable_variables if variables is None else variables
        for step in range(1, steps + 1):
            chosen = slice(None) if batch is None else rng.integers(0, len(x), batch)
            xb, yb = tf.constant(x[chosen]), tf.constant(y[chosen])
            p, value, gradients = forwards(xb, yb)
            gradients = change(gradients) if change else gradients
            if every > 1:
                kept = gradients if kept is None else [a + b for a, b in zip(kept, gradients, strict=True)]
                if step % every == 0:
                    optimizer.apply_gradients([(g / every, v) for g, v in zip(kept, listed, strict=True)])
                    kept = None
            elif apply:
                # Keras refuses gradients that are all None; the step has been attempted all the same.
                with contextlib.suppress(ValueError) if all(g is None for g in gradients) else contextlib.nullcontext():
                    optimizer.apply_gradients(zip(gradients, listed, strict=True))
            pairs = list(zip(gradients, listed, strict=True))
            watch.step(
                value,
                **({} if self.bare else {"inputs": xb, "targets": yb, "predictions": p, "gradients": pairs or None}),
            )


class Program(NamedTuple):
    """One clinic program.

    Attributes:
        name: its name.
        expected: the cause that is right; None for a healthy program.
        run: trains it.
        also: causes that would be right as well.
        kind: the kind of fault or of training ("variables-made-anew", "gan"); programs of one kind are left out
            together in cross-validation.
        source: who wrote it: "ours" (with the rules at hand), "kinds" (by kind, without looking at the rules),
            "field" (re-created from a report).
    """

    name: str
    expected: str | None
    run: Callable[[Lab], Any]
    also: tuple[str, ...] = ()
    kind: str = ""
    source: str = "ours"


PROGRAMS: dict[str, Program] = {}


def program(
    expected: str | None, *also: str, kind: str = "", source: str = "ours"
) -> Callable[[Callable[[Lab], Any]], Callable[[Lab], Any]]:
    """Enters a function into the registry; see `Program` for the arguments."""

    def enter(function: Callable[[Lab], Any]) -> Callable[[Lab], Any]:
        name = function.__name__.replace("_", "-")
        assert name not in PROGRAMS, name
        PROGRAMS[name] = Program(name, expected, function, also, kind, source)
        return function

    return enter


def _fit(  # noqa: PLR0917
    lab: Lab,
    model: Any,
    x: Any,
    y: Any,
    optimizer: Any,
    loss: Any,
    epochs: int,
    batch: int,
    callbacks: Any,
    compiled: bool,
    options: Any,
) -> Any:
    import tb_weightwatch as ww

    if compiled:
        model.compile(optimizer=optimizer, loss=loss, **options)
    watch = ww.WeightWatch(str(lab.folder), verbose=False)
    lab.watches.append(watch)
    model.fit(x, y, epochs=epochs, batch_size=batch, verbose=0, callbacks=[*callbacks, watch])
    return watch
