"""Measures a step after it is over: tensors in the host's memory with numpy, tensors on a device with TensorFlow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...statistics import (
    MAX_LOSS_ELEMENTS,
    NOT_OBSERVED,
    SparseGradient,
    VariableStep,
    fast,
    fits_float32,
    loss_candidates,
    measurable,
    moving_statistic_numbers,
    names,
)
from ...statistics.device import flat_tensors
from ...statistics.fast import SMALL
from .device_functions import DeviceStatistics
from .step_data import StepData, on_host, to_numpy


class MeasuredBlock(NamedTuple):
    """Successive numbers of a row.

    Attributes:
        values: array, or tensor on a device, `[n]`; NaN where not known.
        known: which of them are known, `[n]`.
    """

    values: Any
    known: NDArray[np.bool_]


def ordered(numbers: Mapping[str, float], axis: str) -> MeasuredBlock:
    """Returns the numbers of an axis in the order of the table of quantities."""
    values = np.array([numbers.get(name, np.nan) for name in names(axis)], np.float64)
    return MeasuredBlock(values, np.array([name in numbers for name in names(axis)]))


class StepMeasurer:
    """Measures steps in their order.

    It keeps what the next step is compared with: sketches of the gradients, and which units have always been dead.
    """

    def __init__(self) -> None:
        self._sketches: dict[str, Any] = {}
        self._always_dead: dict[str, Any] = {}
        self._device = DeviceStatistics()

    def reset(self) -> None:
        """Forgets the gradients of the last step, because the next step does not follow it."""
        self._sketches = {}

    def measure(self, data: StepData) -> list[MeasuredBlock]:
        """Returns the row of a step: first all variables, then all layers, then the run-wide numbers."""
        with np.errstate(all="ignore"):  # non-finite numbers are counted, not warned of
            blocks = self._variables(data)
            blocks += [self._layer(data.outputs.get(name), name, kind) for name, kind in data.layers.items()]
            return [*blocks, self._run(data)]

    def _run(self, data: StepData) -> MeasuredBlock:
        run = {**self._batch(data.data), **data.run}
        return ordered({name: np.float64(np.mean(np.asarray(x, np.float64))) for name, x in run.items()}, "run")

    # -- variables

    def _variables(self, data: StepData) -> list[MeasuredBlock]:
        """Returns the blocks of all variables; small variables of the same kind are measured together."""
        on_device: dict[str, MeasuredBlock] = {}
        numbers: dict[str, Mapping[str, float]] = {}
        groups: dict[Any, dict[str, VariableStep]] = defaultdict(dict)
        previous, self._sketches = self._sketches, {}
        for name, observed in data.changes.items():
            if name in data.moving_statistics:
                numbers[name] = moving_statistic_numbers(to_numpy(observed.before), to_numpy(observed.after))
                continue
            gradient_is_none = data.none.get(name)
            if not on_host(observed.after):
                on_device[name] = self._on_device(name, observed, gradient_is_none, previous.get(name))
                continue
            change = self._in_numpy(name, observed, previous.get(name))
            key = _group_key(change)
            if key is not None:
                groups[key][name] = change
            else:
                numbers[name] = fast.variable_statistics(change)
            if change.gradient is NOT_OBSERVED and gradient_is_none is not None:
                numbers[name] = {**numbers.get(name, {}), "gradient_none": float(gradient_is_none)}
        blocks = {name: ordered(variable, "variable") for name, variable in numbers.items()}
        for group in groups.values():
            _scatter(blocks, group, fast.small_statistics(list(group.values())))
        return _in_order(data.variables, blocks, on_device)

    def _in_numpy(self, name: str, observed: VariableStep, previous: Any) -> VariableStep:
        """Returns the change as arrays, with the sketches of the previous gradient and of this one, which is kept."""
        gradient, before, after, raw = map(to_numpy, observed[:4])
        sketch = fast.sample(gradient, after)
        if sketch is not None:
            self._sketches[name] = sketch
        return VariableStep(gradient, before, after, raw, previous, sketch)

    def _on_device(self, name: str, change: VariableStep, is_none: bool | None, previous: Any) -> MeasuredBlock:
        values, known, sketch = self._device.variable(change._replace(previous=previous), is_none)
        if sketch is not None:
            self._sketches[name] = sketch
        return MeasuredBlock(values, known)

    # -- layers and batches

    def _layer(self, output: Any, name: str, activation: str) -> MeasuredBlock:
        if output is None or not measurable(output.dtype):
            return ordered({}, "layer")
        always_dead = self._always_dead.get(name)
        if on_host(output):
            numbers, always_dead = fast.layer_statistics(np.asarray(output), activation, always_dead)
            self._always_dead[name] = always_dead
            return ordered(numbers, "layer")
        values, known, always_dead = self._device.layer(output, activation, always_dead)
        if always_dead is not None:
            self._always_dead[name] = always_dead
        return MeasuredBlock(values, known)

    def _batch(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Returns the run-wide numbers that inputs, targets and predictions give, by quantity."""
        inputs, targets, predictions = (flat_tensors(data.get(name)) for name in ("x", "y", "y_pred"))
        tensors = [*inputs, *targets, *predictions]
        if not tensors:
            return {}
        losses: Mapping[str, Any] = {}
        if all(x.shape.num_elements() <= MAX_LOSS_ELEMENTS for x in (*targets, *predictions)):
            # Small enough to be read from a device as well.
            losses = loss_candidates(_arrays(targets), _arrays(predictions))
        if all(map(on_host, tensors)):
            return {**losses, **fast.batch_statistics(_arrays(inputs), _arrays(targets), _arrays(predictions))}
        numbers = self._device.batch(inputs, targets, predictions)
        return {**losses, **{name: value.numpy() for name, value in numbers.items()}}


def _arrays(tensors: list[Any]) -> list[NDArray[Any]]:
    return [np.asarray(x) for x in tensors]


def _group_key(change: VariableStep) -> Any:
    """Returns what small changes must have in common to be measured together; None: this one is measured by itself."""
    size = change.after.size
    if not 0 < size <= SMALL:
        return None
    for value in change[:4]:
        is_array = isinstance(value, np.ndarray)
        if isinstance(value, SparseGradient) or (is_array and (value.size != size or not fits_float32(value.dtype))):
            return None
    return tuple(type(value) if isinstance(value, np.ndarray) else value for value in change)


def _scatter(blocks: dict[str, MeasuredBlock], group: dict[str, VariableStep], numbers: Mapping[str, Any]) -> None:
    """Puts the numbers of a group, `[n]` by quantity, into the blocks of its variables."""
    order = names("variable")
    values = np.full((len(group), len(order)), np.nan)
    for quantity, column in numbers.items():
        values[:, order.index(quantity)] = column
    known = np.array([quantity in numbers for quantity in order])
    for row, name in zip(values, group, strict=True):
        block = blocks.get(name)  # holds whether the gradient is None, if that is known
        if block is None:
            blocks[name] = MeasuredBlock(row, known)
        else:
            blocks[name] = MeasuredBlock(np.where(block.known, block.values, row), known | block.known)


def _in_order(
    order: tuple[str, ...], blocks: Mapping[str, MeasuredBlock], on_device: Mapping[str, MeasuredBlock]
) -> list[MeasuredBlock]:
    """Returns one block for each variable, or a single block for all if none is on a device."""
    unknown = ordered({}, "variable")
    rows = [on_device.get(name) or blocks.get(name, unknown) for name in order]
    if on_device or not rows:
        return rows
    return [MeasuredBlock(np.concatenate([r.values for r in rows]), np.concatenate([r.known for r in rows]))]
