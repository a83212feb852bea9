"""Which arrays of single variables are recorded at which steps, and how they leave a training step."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ..maps import HISTOGRAMS, MOTION, TENSORS, Map, side
from ..statistics._groups import Change
from ..statistics._maps import variable_maps
from ..statistics._numpy import UNSEEN
from ._schedule import FIRST, Budget
from ._state import variable, zeros

PICTURES = (*HISTOGRAMS, *MOTION)


class Plan(NamedTuple):
    """What is to be recorded beside the row of a step."""

    pictures: bool  # histograms and motion maps
    patterns: tuple[str, ...]  # of the names of variables whose tensors are wanted

    def __bool__(self) -> bool:
        return self.pictures or bool(self.patterns)

    def chosen(self, names: Iterable[str]) -> list[str]:
        """Returns the names of the variables whose tensors are wanted."""
        return [name for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in self.patterns)]


class Wanted:
    """What is to be recorded beside the rows, and when.

    Histograms and motion maps come at step 64, and again each time the step count has doubled; but not before the
    budget affords what they take, which may be tracing the step once more.

    Args:
        maps: whether histograms and motion maps are wanted.
        tensors: names of variables, or patterns ("dense*/kernel"), whose gradients and weights are wanted in full
            whenever there are maps; or name -> steps.
        budget: what recording may cost.

    Raises:
        TypeError, ValueError: `tensors` is something else.
    """

    def __init__(self, maps: bool, tensors: Any, budget: Budget) -> None:
        self._maps, self._budget = bool(maps), budget
        self._tensors = _checked(tensors)
        self._next = FIRST
        self._seconds = 0.0  # what the next ones will take

    @property
    def whole(self) -> Plan:
        """All that may be wanted at some step."""
        return Plan(self._maps, tuple(self._tensors))

    def takes(self, seconds: float) -> None:
        """Takes how long recording them will take."""
        self._seconds = seconds

    def asked(self, step: int) -> bool:
        """Says whether tensors of this very step are wanted, so that it must be recorded."""
        return any(steps is not None and step in steps for steps in self._tensors.values())

    def plan(self, first: int, last: int) -> Plan:
        """Returns what is wanted of steps that run together, of which the last can be had."""
        steps = range(first, last + 1)
        asked = [name for name, wanted in self._tensors.items() if wanted and not wanted.isdisjoint(steps)]
        due = last >= self._next and self._budget.affords_once(self._seconds)
        general = [name for name, wanted in self._tensors.items() if wanted is None] if due else []
        return Plan(self._maps and due, (*asked, *general))

    def took(self, last: int) -> None:
        """Says that what was planned for this step has been recorded."""
        while self._next <= last:
            self._next *= 2

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Returns the patterns that no variable has."""
        found = list(names)
        return [pattern for pattern in self._tensors if not fnmatch.filter(found, pattern)]


def _checked(tensors: Any) -> dict[str, frozenset[int] | None]:
    if isinstance(tensors, str):
        tensors = [tensors]
    pairs = list(tensors.items()) if isinstance(tensors, Mapping) else [(name, None) for name in tensors]
    found: dict[str, frozenset[int] | None] = {}
    for name, steps in pairs:
        if not isinstance(name, str):
            raise TypeError(f'tensors must be names of variables ("dense/kernel"), got {type(name).__name__}')
        numbers = None if steps is None else frozenset([steps] if isinstance(steps, int) else steps)
        if numbers is not None and not all(isinstance(n, (int, np.integer)) and n >= 1 for n in numbers):
            raise ValueError(f"tensors of {name!r} must be asked for at steps from 1 on, got {steps!r}")
        found[name] = numbers
    return found


class State:
    """Variables into which a step of `model.fit` measures arrays; made while it is traced, read by the host.

    Args:
        plan: all that may be wanted at some step.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        # Part of the step -> its arrays' elements, behind one another, and at the end 1 if it ran.
        self._flats: dict[str, tf.Variable] = {}
        self._places: dict[str, list[tuple[str, str, tuple[int, ...]]]] = {}  # variable, kind, shape
        self._tensors: dict[tuple[str, str, str], tf.Variable] = {}  # part, variable, kind

    def begin(self) -> None:
        """Forgets the last step: a part of this one may not run."""
        for flat in self._flats.values():
            flat.assign(tf.zeros_like(flat))

    def measure(self, part: str, changes: Mapping[str, Change]) -> None:
        """Measures what (a part of) a step did to the variables, by name."""
        parts: list[Any] = []
        places = self._places[part] = []
        for name, change in changes.items():
            found = variable_maps(*change[:3], side(len(changes))) if self._plan.pictures else {}
            known = [kind for kind in PICTURES if kind in found]
            parts += [tf.reshape(found[kind], [-1]) for kind in known]
            places += [(name, kind, tuple(found[kind].shape)) for kind in known]
        for name in self._plan.chosen(changes):
            for kind, value in whole(changes[name]).items():
                at = part, name, kind
                if at not in self._tensors:
                    self._tensors[at] = variable(np.zeros(value.shape, value.dtype.as_numpy_dtype))
                self._tensors[at].assign(value)
        flat = tf.concat([*parts, tf.ones([1])], 0)
        if part not in self._flats:
            self._flats[part] = zeros(flat.shape[0], dtype=np.float32)
        self._flats[part].assign(flat)  # all at once: of several writes, XLA would compute each one's source anew

    def take(self, step: int, time: float, plan: Plan) -> list[Map]:
        """Returns what was measured last, as of that step."""
        found: list[Map] = []
        for part, flat in self._flats.items():
            *elements, ran = np.split(flat.numpy(), self._ends(part))
            if not ran[0]:
                continue
            if plan.pictures:
                pairs = zip(self._places[part], elements, strict=True)
                found += [Map(step, name, kind, _nan(x.reshape(shape)), time) for (name, kind, shape), x in pairs]
            wanted = set(plan.chosen({name for _, name, _ in self._tensors}))
            held = {at: state for at, state in self._tensors.items() if at[0] == part and at[1] in wanted}
            found += [Map(step, name, kind, array(state), time) for (_, name, kind), state in held.items()]
        return found

    def _ends(self, part: str) -> Any:
        return np.cumsum([int(np.prod(shape)) for _, _, shape in self._places[part]]).astype(int)


def whole(change: Any) -> dict[str, Any]:
    """Returns the tensors of a change by kind; what is not known is left out."""
    gradient = change.gradient
    if isinstance(gradient, tf.IndexedSlices):
        gradient = tf.convert_to_tensor(gradient)
    known = zip(TENSORS, (gradient, change.before, change.after), strict=True)
    return {kind: value for kind, value in known if value is not None and value is not UNSEEN}


def pictures(name: str, change: Any, count: int, step: int, time: float) -> list[Map]:
    """Returns histograms and motion maps of one of `count` variables, eagerly."""
    gradient = change.gradient
    if not (gradient is None or gradient is UNSEEN or isinstance(gradient, tf.IndexedSlices)):
        gradient = tf.convert_to_tensor(gradient)
    found = variable_maps(gradient, change.before, change.after, side(count))
    return [Map(step, name, kind, _nan(found[kind].numpy()), time) for kind in PICTURES if kind in found]


def array(value: Any) -> NDArray[Any]:
    """Returns a tensor's elements; bfloat16, which numpy lacks, as float32."""
    tensor = tf.convert_to_tensor(value)
    return np.asarray((tf.cast(tensor, tf.float32) if tensor.dtype == tf.bfloat16 else tensor).numpy())


def _nan(values: NDArray[Any]) -> NDArray[Any]:
    return np.where(np.isinf(values), np.float32(np.nan), values)
