"""A case: a training, what was recorded of it, and what an independent observer saw of each of its steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tb_weightwatch.history import History

Array = np.ndarray
GROUPS = {
    "fit": "`model.fit`",
    "loop": "Custom training loops",
    "optimizer": "Optimizers",
    "variable": "Variables",
    "batch": "Layers and data",
    "distribute": "`tf.distribute`",
    "legacy": "Legacy Keras (`tf_keras`, `TF_USE_LEGACY_KERAS=1`)",
}


@dataclass
class Step:
    """One step as seen by other means than the recorder's; arrays by name of variable, all as float64.

    Attributes:
        before: weights before the step.
        after: weights after it.
        gradients: as the optimizer used them; None: backpropagation gave none; left out: not to be known.
        raw: gradients before clipping, where they differ from those used.
        layers: name of layer use -> quantity -> number.
        run: quantity -> number.
        number: the step's number; None: one more than the step before.
    """

    before: dict[str, Array]
    after: dict[str, Array]
    gradients: dict[str, Array | None] = field(default_factory=dict)
    raw: dict[str, Array] = field(default_factory=dict)
    layers: dict[str, dict[str, float]] = field(default_factory=dict)
    run: dict[str, float] = field(default_factory=dict)
    number: int | None = None


Seen = tuple[History, list[Step]]


@dataclass(frozen=True)
class Case:
    """A row of the table: what people do, and how it is recorded."""

    group: str
    what: str
    how: str
    run: Callable[[Path], Seen] | None  # None: it is refused, as another test shows
    supported: str
    numbers: dict[str, float]  # tolerances that differ from the usual ones


CASES: dict[str, Case] = {}


def case(
    group: str, what: str, how: str, *, supported: str = "yes", **numbers: float
) -> Callable[[Callable[[Path], Seen]], Any]:
    """Registers a function (folder of the run -> History and steps) as a case; its name is the test's."""
    assert group in GROUPS

    def register(run: Callable[[Path], Seen]) -> Callable[[Path], Seen]:
        assert run.__name__ not in CASES
        CASES[run.__name__] = Case(group, what, how, run, supported, numbers)
        return run

    return register


def refused(group: str, what: str, how: str) -> None:
    """Registers a row of what is not recorded."""
    CASES[what] = Case(group, what, how, None, "no", {})


def compare(history: History, steps: list[Step], *, rounding: float = 2e-3, fuzz: float = 1e-5) -> None:
    """Holds a History against what was seen, in float64 numpy.

    Args:
        history: as recorded.
        steps: as seen, from the first step on; all must have been recorded, and no more.
        rounding: by how much the gradients may differ that were computed anew (half a percent of encoding is added).
        fuzz: part of the step's largest gradient norm below which a gradient is rounding noise.
    """
    numbers = [step.number or i + 1 for i, step in enumerate(steps)]
    assert history.steps.tolist() == numbers
    places = {v.name: i for i, v in enumerate(history.variables)}
    previous: dict[str, Array | None] = {}
    for row, step in enumerate(steps):
        seen = Row(history, row)
        assert set(step.after) <= set(places), (set(step.after), set(places))
        largest = max([_norm(g) for g in step.gradients.values() if g is not None], default=0.0)
        for name, after in step.after.items():
            seen.weights(places[name], name, step.before.get(name), after)
            noise = fuzz * largest if np.isfinite(largest) else 0.0
            seen.gradient(places[name], name, step, previous, rounding=rounding, noise=noise)
        previous = step.gradients
        layers = {layer.name: i for i, layer in enumerate(history.layers)}
        for name, quantities in step.layers.items():
            for quantity, number in quantities.items():
                seen.check(quantity, number, layers[name], rounding=rounding)
        for quantity, number in step.run.items():
            seen.check(quantity, number, rounding=rounding)


class Row:
    """One recorded row, to be held against numbers."""

    def __init__(self, history: History, row: int) -> None:
        self.history, self.row = history, row

    def known(self, quantity: str, place: int | None = None) -> bool:
        if not self.history.has(quantity):
            return False
        known = self.history.known(quantity)[self.row]
        return bool(known if place is None else known[place])

    def check(
        self, quantity: str, expected: float, place: int | None = None, *, rounding: float = 0.0, noise: float = 0.0
    ) -> None:
        """Asserts that a number was recorded and is right; a zero, a NaN and a whole must be exactly that."""
        where = f"{quantity} of step {self.history.steps[self.row]}" + (f", place {place}" if place is not None else "")
        assert self.known(quantity, place), f"{where} was not recorded, expected {expected}"
        column = self.history.column(quantity)[self.row]
        found = float(column if place is None else column[place])
        if quantity.endswith("share"):
            exact = rounding == 0
            assert not exact or [found == 0, found == 1] == [expected == 0, expected == 1], (where, found, expected)
            np.testing.assert_allclose(found, expected, atol=5e-3, err_msg=where)
        elif quantity.endswith(("nonfinite", "none")) or quantity in ("iterations", "batch_size"):
            assert found == expected, (where, found, expected)
        else:
            assert noise or (found == 0) == (expected == 0), (where, found, expected)
            # The compact encoding keeps about half a percent.
            np.testing.assert_allclose(found, expected, rtol=6e-3 + rounding, atol=noise, err_msg=where)

    def weights(self, place: int, name: str, before: Array | None, after: Array) -> None:
        finite = np.abs(after[np.isfinite(after)])
        self.check("weight_nonfinite", after.size - finite.size, place)
        if finite.size == after.size:
            self.check("weight_norm", _norm(after), place)
            self.check("weight_max", finite.max(initial=0.0), place)
            self.check("weight_std", after.std() if after.size else 0.0, place, rounding=1e-5, noise=1e-12)
        if before is None:
            assert not self.known("update_norm", place), f"{name}: an update was recorded where none can be known"
            return
        same = (after == before) | (np.isnan(after) & np.isnan(before))
        self.check("changed_share", float((~same).mean()) if after.size else 0.0, place)
        if np.isfinite(before).all() and finite.size == after.size:
            self.check("update_norm", _norm(after - before), place)
            self.check("update_max", np.abs(after - before).max(initial=0.0), place)

    def gradient(
        self, place: int, name: str, step: Step, previous: dict[str, Array | None], *, rounding: float, noise: float
    ) -> None:
        if name not in step.gradients:
            assert not self.known("gradient_norm", place), f"{name}: a gradient was recorded where none can be known"
            return
        g = step.gradients[name]
        self.check("gradient_none", float(g is None), place)
        if g is None:
            assert not self.known("gradient_norm", place), name
            return
        bad = int((~np.isfinite(g)).sum())
        self.check("gradient_nonfinite", bad, place)
        if bad:
            return
        self.check("gradient_norm", _norm(g), place, rounding=rounding, noise=noise)
        self.check("gradient_max", np.abs(g).max(initial=0.0), place, rounding=rounding, noise=noise)
        raw = step.raw.get(name, g)
        if self.known("raw_gradient_norm", place) or name in step.raw:
            self.check("raw_gradient_norm", _norm(raw), place, rounding=rounding, noise=noise)
        if _norm(g) <= noise:
            return
        self.check("gradient_zero_share", float((g == 0).mean()), place, rounding=rounding)
        if name in step.before:
            still = (g != 0) & (step.before[name] == step.after[name])
            self.check("stuck_share", float(still.mean()), place, rounding=rounding)
        last = previous.get(name)
        if last is not None and last.shape == g.shape and _norm(last) > noise and g.size <= 65_536:
            cosine = float((g * last).sum() / (_norm(g) * _norm(last)))
            if self.known("gradient_cosine", place):
                found = self.history.column("gradient_cosine")[self.row, place]
                np.testing.assert_allclose(found, cosine, atol=0.02, err_msg=f"cosine of {name}")


def _norm(x: Array) -> float:
    return float(np.sqrt(np.sum(np.square(x.astype(np.float64)))))
