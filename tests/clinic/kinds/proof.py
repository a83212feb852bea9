"""What healthy programs share: two seeds of each, and the proof that it learns."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import Lab, program


def healthy(kind: str, seeds: int = 2) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enters a function of a Lab and a seed as so many healthy programs of a kind."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        for seed in range(1, seeds + 1):
            run: Any = functools.partial(_run, function, seed)
            run.__name__ = function.__name__ + (f"_seed_{seed}" if seed > 1 else "")
            program(None, kind=kind, source="kinds")(run)
        return function

    return enter


def _run(function: Callable[..., Any], seed: int, lab: Lab) -> Any:
    keras.utils.set_random_seed(seed)
    return function(lab, seed)


def told(lab: Lab, **seen: Any) -> dict[str, Any]:
    """Returns what a loop passes to `watch.step` beside the loss: nothing under `lab.bare`."""
    return {} if lab.bare else seen


def callback(lab: Lab) -> Any:
    """Returns the callback for a `fit` of the program's own."""
    import tb_weightwatch as ww

    lab.watches.append(ww.WeightWatch(str(lab.folder), verbose=False))
    return lab.watches[-1]


def batches(seed: int, steps: int, *arrays: Any, size: int = 32) -> Any:
    """Yields `steps` batches, drawn at random, as tensors."""
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        chosen = rng.integers(0, len(arrays[0]), size)
        yield tuple(tf.constant(a[chosen]) for a in arrays)


def pairs(tape: Any, loss: Any, variables: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Returns (gradient, variable) pairs."""
    return list(zip(tape.gradient(loss, variables), variables, strict=True))


def assert_fell(losses: Sequence[Any], to: float) -> None:
    """The mean of the last tenth is below that share of the mean of the first (of positive losses)."""
    first, last = _ends(losses)
    assert last < to * first, f"loss from {first:.4g} to {last:.4g}"


def assert_fell_by(losses: Sequence[Any], by: float) -> None:
    """The mean of the last tenth is lower by so much (losses of any sign)."""
    first, last = _ends(losses)
    assert last < first - by, f"loss from {first:.4g} to {last:.4g}"


def _ends(losses: Sequence[Any]) -> tuple[float, float]:
    values = [float(value) for value in losses]
    part = max(1, len(values) // 10)
    return float(np.mean(values[:part])), float(np.mean(values[-part:]))


def assert_accurate(scores: Any, y: Any, above: float) -> None:
    """The share of right classes (a single score is positive for class 1, as a logit is) is above that."""
    scores, y = np.asarray(scores), np.asarray(y).reshape(-1)
    found = scores.argmax(axis=-1).reshape(-1) if scores.shape[-1] > 1 else scores.reshape(-1) > 0
    share = float(np.mean(found == y))
    assert share > above, f"accuracy {share:.3f}"


def assert_explained(p: Any, y: Any, above: float) -> None:
    """The share of the variance that is explained is above that."""
    p, y = np.asarray(p, "float64").reshape(len(y), -1), np.asarray(y, "float64").reshape(len(y), -1)
    share = 1 - float(np.mean((p - y) ** 2) / np.mean((y - y.mean(axis=0)) ** 2))
    assert share > above, f"explained {share:.3f}"
