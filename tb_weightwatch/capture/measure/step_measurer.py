"""Measures what a step showed, after it is over: in the host's memory with numpy, on a device with TensorFlow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ...statistics import (
    MAX_LOSS_ELEMENTS,
    NOT_OBSERVED,
    SparseGradient,
    VariableStep,
    fast,
    fits_float32,
    from_indexed_slices,
    loss_candidates,
    measurable,
    names,
)
from ...statistics.device import flat_tensors
from ...statistics.fast import SMALL
from .device_functions import DeviceStatistics

Known = NDArray[np.bool_]
MeasuredBlock = tuple[Any, Known]  # numbers (array, or tensor on a device), and which of them are known


class StepData(NamedTuple):
    """What one step showed, by name.

    Attributes:
        variables: names on the V axis.
        layers: layer use -> its activation, the L axis.
        changes: variable -> what the step did to it; of variables that are not trained there is none.
        none: variable -> whether its gradient is None, where nobody showed the gradient itself.
        outputs: layer use -> its output.
        data: "x", "y", "y_pred": as given, or None.
        run: run-wide numbers.
    """

    variables: tuple[str, ...]
    layers: Mapping[str, str]
    changes: Mapping[str, VariableStep]
    none: Mapping[str, bool]
    outputs: Mapping[str, Any]
    data: Mapping[str, Any]
    run: Mapping[str, Any]


def ordered(numbers: Mapping[str, float], axis: str) -> MeasuredBlock:
    """Returns an axis' numbers in the order of the table, NaN where not known, and which are known."""
    values = np.array([numbers.get(name, np.nan) for name in names(axis)], np.float64)
    return values, np.array([name in numbers for name in names(axis)])


def on_host(tensor: Any) -> bool:
    """Says whether numpy can read it where it is."""
    if isinstance(tensor, np.ndarray):
        return True
    device = getattr(tensor, "device", "")
    return "GPU" not in device and "TPU" not in device


def to_numpy(value: Any) -> Any:
    """Returns a gradient or weight as an array or `Rows`; what stands for one stays."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, tf.IndexedSlices):
        return from_indexed_slices(np.asarray(value.values), np.asarray(value.indices))
    return np.asarray(value) if hasattr(value, "device") else value  # tf.is_tensor is slow


class StepMeasurer:
    """Keeps what the next step is compared with: sketches of gradients, and which units have always been dead."""

    def __init__(self) -> None:
        self._sketches: dict[str, Any] = {}
        self._dead: dict[str, Any] = {}
        self._outside = DeviceStatistics()

    def forget(self) -> None:
        """Says that the next step does not follow this one."""
        self._sketches = {}

    def parts(self, reading: StepData) -> list[MeasuredBlock]:
        """Returns the numbers of all three axes."""
        with np.errstate(all="ignore"):  # what is not finite is what we look for
            return self._parts(reading)

    def _parts(self, reading: StepData) -> list[MeasuredBlock]:
        parts = self._variables(reading)
        parts += [self._layer(reading.outputs.get(name), name, kind) for name, kind in reading.layers.items()]
        run = {**self._batch_numbers(reading.data), **reading.run}
        told = {name: np.float64(np.mean(np.asarray(value, np.float64))) for name, value in run.items()}
        return [*parts, ordered(told, "run")]

    # -- variables

    def _variables(self, reading: StepData) -> list[MeasuredBlock]:
        device: dict[str, MeasuredBlock] = {}
        numbers: dict[str, Mapping[str, float]] = {}
        small: dict[Any, dict[str, VariableStep]] = defaultdict(dict)
        previous, self._sketches = self._sketches, {}
        for name, given in reading.changes.items():
            none, last = reading.none.get(name), previous.get(name)
            if not on_host(given.after):
                device[name] = self._on_device(name, given, none, last)
                continue
            gradient, before, after, raw = map(to_numpy, given[:4])
            change = VariableStep(gradient, before, after, raw, last, self._sketch(name, gradient, after))
            kind = _kind(change)
            if kind is not None:
                small[kind][name] = change
            else:
                numbers[name] = fast.variable_statistics(change)
            if change.gradient is NOT_OBSERVED and none is not None:
                numbers[name] = {**numbers.get(name, {}), "gradient_none": float(none)}
        rows = {name: ordered(found, "variable") for name, found in numbers.items()}
        for group in small.values():
            _spread_out(rows, group, fast.small_statistics(list(group.values())))
        return _joined(reading.variables, rows, device)

    def _sketch(self, name: str, gradient: Any, after: Any) -> Any:
        found = fast.sample(gradient, after)
        if found is not None:
            self._sketches[name] = found
        return found

    def _on_device(self, name: str, change: VariableStep, none: bool | None, last: Any) -> MeasuredBlock:
        values, known, sketch = self._outside.variable(change._replace(previous=last), none)
        if sketch is not None:
            self._sketches[name] = sketch
        return values, known

    # -- layers and batches

    def _layer(self, output: Any, name: str, activation: str) -> MeasuredBlock:
        if output is None or not measurable(output.dtype):
            return ordered({}, "layer")
        if on_host(output):
            numbers, self._dead[name] = fast.layer_statistics(np.asarray(output), activation, self._dead.get(name))
            return ordered(numbers, "layer")
        values, known, mask = self._outside.layer(output, activation, self._dead.get(name))
        if mask is not None:
            self._dead[name] = mask
        return values, known

    def _batch_numbers(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        given = [flat_tensors(data.get(name)) for name in ("x", "y", "y_pred")]
        if not any(given):
            return {}
        read: Mapping[str, Any] = {}
        if all(
            x.shape.num_elements() <= MAX_LOSS_ELEMENTS for part in given[1:] for x in part
        ):  # small: read from a device too
            read = loss_candidates(*([np.asarray(x) for x in part] for part in given[1:]))
        if all(on_host(x) for part in given for x in part):
            return {**read, **fast.batch_statistics(*([np.asarray(x) for x in part] for part in given))}
        return {**read, **{name: value.numpy() for name, value in self._outside.batch(*given).items()}}


def _kind(change: VariableStep) -> Any:
    """Returns what small changes must share to be measured together; None: by itself."""
    size = change.after.size
    if not 0 < size <= SMALL:
        return None
    for x in change[:4]:
        array = isinstance(x, np.ndarray)
        if isinstance(x, SparseGradient) or (array and (x.size != size or not fits_float32(x.dtype))):
            return None
    return tuple(type(x) if isinstance(x, np.ndarray) else x for x in change)


def _spread_out(rows: dict[str, MeasuredBlock], group: dict[str, VariableStep], numbers: Mapping[str, Any]) -> None:
    """Puts the numbers of a group, `[n]` by quantity, into the rows of its variables."""
    order = names("variable")
    values = np.full((len(group), len(order)), np.nan)
    for name, found in numbers.items():
        values[:, order.index(name)] = found
    known = np.array([name in numbers for name in order])
    for i, name in enumerate(group):
        told = rows.get(name)  # whether there is a gradient at all
        rows[name] = (values[i], known) if told is None else (np.where(told[1], told[0], values[i]), known | told[1])


def _joined(
    order: tuple[str, ...], rows: Mapping[str, MeasuredBlock], device: Mapping[str, MeasuredBlock]
) -> list[MeasuredBlock]:
    blank = ordered({}, "variable")
    parts = [device.get(name) or rows.get(name, blank) for name in order]
    if device or not parts:
        return parts
    values, known = zip(*parts, strict=True)
    return [(np.concatenate(values), np.concatenate(known))]
