"""Tells whether the variables that the steps are given are made anew in each step, and with which values they begin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from .own_variables import Signature, signature

ELEMENTS = 4096  # of a variable that are compared
MOST = 64  # variables that are compared
ENOUGH = 5  # steps with new variables from which it is described how many there are
Sketch = NDArray[np.float64]


class Predecessor(NamedTuple):
    """What is known of a variable that another one has replaced.

    Attributes:
        signature: by which the new one is recognized.
        first: values with which the first variable of this kind began; None if they are not known.
        last: values of the last one at the end of its step.
    """

    signature: Signature
    first: Sketch | None
    last: Sketch | None


class MadeAnew:
    """Counts the steps in which variables were replaced by new ones of the same names and shapes.

    Where a new variable began cannot be read after its step. It is inferred from where it ends: the way from the first
    values, or from the end of the step before, is that of a single update only if it began there.

    Attributes:
        carried: whether the new variables of the present step continue those that they replace.
    """

    def __init__(self) -> None:
        self._predecessors: list[Predecessor] = []
        self._starts = {"same": 0, "other": 0, "carried": 0}
        self.carried = False
        self._steps = self._of = self._first = 0
        self._next = 0  # number of steps at which the counts are described again

    def watched(self, variables: Mapping[int, Any], values: Mapping[int, Any]) -> None:
        """Notes the variables that are watched from the beginning, and their values: id -> variable, id -> value."""
        firsts = {key: sketch(values.get(key)) if i < MOST else None for i, key in enumerate(variables)}
        self._predecessors = [Predecessor(signature(v), firsts[k], firsts[k]) for k, v in variables.items()]

    def observe(
        self,
        step: int,
        given: Mapping[int, Any],
        new: set[int],
        values: Mapping[int, Any],
        gradients: Mapping[int, Any],
    ) -> dict[str, Any] | None:
        """Takes what a step was given into account.

        Args:
            step: its number.
            given: trainable variables: id -> variable.
            new: ids of those that are new.
            values: id -> value at the end of the step.
            gradients: id -> gradient.

        Returns:
            The description of what is known so far, if it is to be recorded now, else None.
        """
        self.carried = False
        if not given or (not new and not self._steps and self._predecessors):
            return None
        signatures = [signature(v) for v in given.values()]
        replaces = bool(new) and signatures == [p.signature for p in self._predecessors]
        self._of += 1
        if replaces:
            self._steps += 1
            self._first = self._first or step
        self._compare(given, new if replaces else set(), signatures, values, gradients)
        due = (self._steps == ENOUGH and replaces) or (self._next and self._of >= self._next)
        if not due and not (self._steps == 1 and replaces):
            return None
        if due:
            self._next = 2 * self._of
        return {
            "steps": self._steps, "of": self._of, "first_step": self._first, "variables": len(new) if replaces else 0,
            "given": len(given), "names": [s[0] for s in signatures[:3]], "start": self._start(),
        }  # fmt: skip

    def _start(self) -> str:
        """Returns with which values the variables began in most steps: "same", "other", "carried", or "unknown"."""
        start, count = max(self._starts.items(), key=lambda item: item[1])
        return start if count >= 0.8 * max(1, sum(self._starts.values())) and count >= 0.5 * self._steps else "unknown"

    def _compare(
        self,
        given: Mapping[int, Any],
        new: set[int],
        signatures: list[Signature],
        values: Mapping[int, Any],
        gradients: Mapping[int, Any],
    ) -> None:
        """Compares the new variables with those that they replace, and keeps the values for the next step."""
        known = [p.signature for p in self._predecessors] == signatures
        starts = []
        for i, key in enumerate(given):
            before = self._predecessors[i] if known else Predecessor(signatures[i], None, None)
            value = sketch(values.get(key)) if i < MOST else None
            if key in new and value is not None:
                starts.append(start_of(value, before, sketch(gradients.get(key))))
            if i < len(self._predecessors) and known:
                self._predecessors[i] = before._replace(last=value)
            else:
                self._predecessors[i:] = [Predecessor(signatures[i], None, value)]
        del self._predecessors[len(given) :]
        known_starts = {start for start in starts if start != "unknown"}
        if known_starts == {"same", "other"}:
            known_starts = {"other"}  # biases begin at zero each time, kernels anywhere
        if len(known_starts) == 1:  # variables that contradict each other tell nothing
            self.carried = "carried" in known_starts
            self._starts[known_starts.pop()] += 1


def start_of(value: Sketch, before: Predecessor, gradient: Sketch | None) -> str:
    """Returns with which values a variable began that has replaced another one.

    Args:
        value: its values at the end of its step.
        before: the variable that it has replaced.
        gradient: of the step; None if it is not known.

    Returns:
        "same" as the first variable did, "carried" over from the last one, unrelated ("other"), or "unknown".
    """
    if before.last is None or before.last.shape != value.shape:
        return "unknown"
    moved = value - before.last
    offset = None if before.first is None or before.first.shape != value.shape else value - before.first
    if offset is not None and not offset.any():
        return "same"
    if offset is not None and not moved.any():
        return "carried"
    by_offset = offset is not None and is_update(offset, gradient)
    by_move = is_update(moved, gradient)
    if by_offset != by_move:
        return "same" if by_offset else "carried"
    apart = float(np.linalg.norm(moved)) > 0.5 * float(np.linalg.norm(value))
    return "other" if apart and not by_move and value.size >= 16 and cosine(value, before.last) < 0.5 else "unknown"


def is_update(change: Sketch, gradient: Sketch | None) -> bool:
    """Checks whether a change is one update along the gradient, or along the signs of its elements, as Adam's first."""
    if gradient is None or gradient.shape != change.shape or change.size < 2 or not gradient.any():
        return False
    if cosine(change, -gradient) > 0.999:
        return True
    large = np.abs(gradient) > 1e-3 * np.abs(gradient).max()
    sizes = np.abs(change[large])
    signs = np.sign(change[large]) == -np.sign(gradient[large])
    return bool(large.sum() > 1 and signs.all() and sizes.min() > 0.99 * sizes.max())


def cosine(a: Sketch, b: Sketch) -> float:
    """Returns the cosine of two vectors; 0 if one of them is zero."""
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norms if norms > 0 else 0.0


def sketch(value: Any) -> Sketch | None:
    """Returns the first elements of a dense tensor; None if it is none."""
    if value is None or isinstance(value, tf.IndexedSlices) or not hasattr(value, "shape"):
        return None
    flat = tf.reshape(value, [-1]) if tf.is_tensor(value) else np.reshape(value, -1)
    return np.asarray(flat[:ELEMENTS]).astype(np.float64)
