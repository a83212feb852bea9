"""Short trainings from the saved state, and how far the loss falls in them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .budget import Spending
from .program import Batch, Program
from .state import SavedState
from .updates import Substitute, Update

PASSES = 2  # how often a trial trains on each batch
_WITHOUT_FLOOR = 1.5  # fall as a share of the loss before
_LEAST_FALL = 1e-3  # share of the loss; what float32 sums of a batch resolve, with room


class Trial(NamedTuple):
    """The losses of the same batches before and after a short training.

    Attributes:
        before: `[B]` loss of each batch at the saved state.
        after: `[B]` its loss afterwards, with the same random numbers (dropout) as before.
        steps: how many updates lie between.
        middle: mean loss while it passed over the batches for the middle time.
        seconds: that it took.
    """

    before: tuple[float, ...]
    after: tuple[float, ...]
    steps: int
    middle: float = math.nan
    seconds: float = 0.0

    @property
    def fall(self) -> float:
        """How far the mean loss fell, as a share of its absolute value before; -inf if it is not finite after."""
        falls = self._falls()
        return float(np.mean(falls)) if np.isfinite(falls).all() else -math.inf

    @property
    def learns(self) -> bool:
        """Whether the loss of the batches fell by more than rounding explains; their random numbers are the same."""
        return self.fall > _LEAST_FALL

    @property
    def starts_finite(self) -> bool:
        """Whether the losses before are numbers."""
        return bool(np.isfinite(self.before).all())

    @property
    def has_no_floor(self) -> bool:
        """Whether the loss fell far below zero: then it has no lower bound, and falling means nothing."""
        return self.fall > _WITHOUT_FLOOR

    def _falls(self) -> np.ndarray:
        before, after = np.array(self.before), np.array(self.after)
        scale = max(abs(float(np.mean(before))), float(np.std(before)), 1e-12)
        with np.errstate(all="ignore"):
            return np.asarray((before - after) / scale)


class Trials:
    """Runs short trainings, each from the same state, which is restored after each.

    Args:
        program: the training step.
        batches: the batches of every trial.
        state: the state that trials start from.
        spending: counts their steps against the budget.
    """

    def __init__(self, program: Program, batches: Sequence[Batch], state: SavedState, spending: Spending) -> None:
        self.program, self.batches, self.state, self.spending = program, list(batches), state, spending
        self._before: dict[Any, tuple[float, ...]] = {}
        self._kept: list[Any] = []

    def run(
        self, update: Update, *, batches: Sequence[Batch] | None = None, passes: int = PASSES,
        start: Callable[[], None] | None = None, held_out: Sequence[Batch] = (),
    ) -> Trial:  # fmt: skip
        """Trains for some passes over the batches and returns the losses before and after.

        Args:
            update: makes one step.
            batches: instead of the usual ones.
            passes: over the batches.
            start: changes the state before the first step (new weights, for example).
            held_out: batches that are not trained on; if given, the losses are theirs.
        """
        batches = self.batches if batches is None else list(batches)
        before = self.losses_before(held_out or batches, start)
        with self.state.restored():
            if start is not None:
                start()
            if isinstance(update, Substitute):
                update.begin()
            losses: list[float] = []
            began = time.perf_counter()
            for batch in (batch for _ in range(passes) for batch in batches):
                self.spending.add_step()
                losses.append(update(batch))
                if not math.isfinite(losses[-1]) and math.isfinite(before[0]):
                    return Trial(before, (math.nan,) * len(before), len(losses))
            self.state.restore_generators()
            first = passes // 2 * len(batches)
            middle = float(np.mean(losses[first : first + len(batches)]))
            after = self.losses(held_out or batches)
            return Trial(before, after, len(losses), middle, time.perf_counter() - began)

    def losses(self, batches: Sequence[Batch]) -> tuple[float, ...]:
        """Returns the loss of each batch at the present weights. What its step changes is undone."""
        present, losses = self.program.saved_state(), []
        for batch in batches:
            with present.restored():
                self.spending.add_step()
                losses.append(self.program.loss(batch))
        return tuple(losses)

    def losses_before(
        self, batches: Sequence[Batch] = (), start: Callable[[], None] | None = None
    ) -> tuple[float, ...]:
        """Returns the loss of each batch (of the usual ones) at the saved state, changed by `start`."""
        batches = batches or self.batches
        key = tuple(id(batch) for batch in batches), id(start)
        if key not in self._before:
            self._kept += [batches, start]  # an id is that of one object only as long as this lives
            with self.state.restored():
                if start is not None:
                    start()
                self._before[key] = self.losses(batches)
        return self._before[key]
