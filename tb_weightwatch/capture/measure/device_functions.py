"""Statistics of tensors on a device, taken after the step is over: functions of our own, traced once per kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ...statistics import NOT_OBSERVED, VariableStep, measurable, stride
from ...statistics import device as measure

Known = NDArray[np.bool_]
_BATCHES = 32  # kinds of batches after which the length of sequences is no longer told apart


class DeviceStatistics:
    """Functions of the flattened tensors, so that variables of all shapes share one trace."""

    def __init__(self) -> None:
        self._functions: dict[Any, tuple[Any, Known]] = {}
        self._batches: dict[Any, Any] = {}

    def _run(self, name: Any, make: Callable[[dict[str, Any]], Any], tensors: dict[str, Any], axis: str) -> Any:
        """Calls the function of that name and kinds of tensors; returns its result and which numbers it knows."""
        kinds = (name, *((k, t.dtype, *_form(k, t)) for k, t in tensors.items()))
        if kinds not in self._functions:
            known: list[Known] = []

            def traced(given: dict[str, Any]) -> Any:
                numbers, *rest = make(given)
                values, which = measure.in_order(numbers, axis)
                known.append(which)
                return values, *rest

            specs = {k: tf.TensorSpec(_form(k, t), t.dtype) for k, t in tensors.items()}
            function = tf.function(traced, autograph=False).get_concrete_function(specs)
            self._functions[kinds] = function, known[-1]
        function, which = self._functions[kinds]
        return function(tensors), which

    def variable(self, change: VariableStep, none: bool | None = None) -> tuple[Any, Known, Any]:
        """Returns values `[S]` (tensor or array), which are known, and the gradient's sketch (None without a gradient).

        `none` says of an UNSEEN gradient whether it is known to be None all the same.
        """
        gradient, before, after, raw, previous = change[:5]
        tensors = {"after": _flat(after)}
        if before is not None:
            tensors["before"] = _flat(before)
        seen = gradient is not None and gradient is not NOT_OBSERVED
        if seen:
            given = _gradient(gradient, before, after)
            seen = bool(given)
            tensors |= given
        if seen and previous is not None:
            tensors["previous"] = tf.convert_to_tensor(previous)
        same = raw is None and seen  # nothing was clipped
        if raw is not None and raw is not NOT_OBSERVED:
            tensors["raw"] = _flat(measure.gradient_elements(raw, after))
        none = none if gradient is NOT_OBSERVED else gradient is None
        make = lambda t: _variable(t, none, same)  # noqa: E731
        (values, *sketch), known = self._run(("variable", none, same), make, tensors, "variable")
        return values, known, sketch[0] if sketch else None

    def layer(self, output: Any, activation: str, always_dead: Any) -> tuple[Any, Known, Any]:
        """Returns values `[A]`, which are known, and the running mask of dead units (None where there are no units)."""
        rank, units = output.shape.rank or 0, output.shape[-1] if output.shape.rank else None
        tensors = {"output": tf.reshape(output, [-1, units]) if rank > 1 and units else _flat(output)}
        if rank > 1 and units:
            tensors["mask"] = tf.ones([units], tf.bool) if always_dead is None else tf.convert_to_tensor(always_dead)
        make = lambda t: _layer(t, activation)  # noqa: E731
        (values, *mask), known = self._run(("layer", activation), make, tensors, "layer")
        return values, known, mask[0] if mask else None

    def batch(self, inputs: list[Any], targets: list[Any], predictions: list[Any]) -> dict[str, Any]:
        """Returns the quantities of the run's axis that inputs, targets and predictions tell, by name."""
        given = [inputs, targets, predictions]
        # Of shapes only the targets' last axis matters, which tells one column from several.
        fixed = len(self._batches) < _BATCHES
        specs = [[_loose(x, fixed and part is given[1]) for x in part] for part in given]
        kinds = tuple(tuple(part) for part in specs)
        if kinds not in self._batches:
            self._batches[kinds] = tf.function(_batch, autograph=False).get_concrete_function(*specs)
        return dict(self._batches[kinds](*given))


def _loose(x: Any, last: bool) -> Any:
    rank = x.shape.rank or 0
    return tf.TensorSpec([None] * (rank - 1) + [x.shape[-1] if last and rank > 1 else None] if rank else [], x.dtype)


def _flat(x: Any) -> Any:
    return tf.reshape(x, [-1])


def _form(name: str, tensor: Any) -> list[int | None]:
    """Returns the shape a function is traced for: only what a result's size depends on is fixed."""
    if name in ("output", "mask"):
        return [None, *tensor.shape[1:]] if name == "output" else tensor.shape.as_list()
    large = tensor.shape.num_elements() > measure.CHUNK_SIZE and not name.startswith("seen")
    return tensor.shape.as_list() if large else [None] * tensor.shape.rank  # large ones are measured slice by slice


def _gradient(gradient: Any, before: Any, after: Any) -> dict[str, Any]:
    """Returns the tensors that a gradient is measured by; none if it can not be."""
    if not measurable(gradient.dtype):
        return {}
    if measure.is_measured_by_rows(gradient, after):
        rows = measure.unique_rows(gradient)
        found = {"seen": rows.sums, "elements": rows.elements, "sketch": measure.sample(gradient, after)}
        if before is not None:
            found |= {"seen_before": tf.gather(before, rows.rows), "seen_after": tf.gather(after, rows.rows)}
        return {k: _flat(x) if k.startswith("seen") else x for k, x in found.items()}
    g, elements = measure.dense(gradient, after)
    if g.shape != after.shape:
        return {}
    found = {"gradient": _flat(g), "step": tf.constant(stride(int(np.prod(g.shape))), tf.int32)}
    return found if elements is None else found | {"elements": elements}


def _variable(t: dict[str, Any], none: bool | None, same: bool) -> Any:
    gradient = t.get("gradient", NOT_OBSERVED)
    numbers = measure.change_numbers(gradient, t.get("before"), t["after"], occurring=t.get("elements"))
    if "seen" in t:
        rows = {"gradient": t["seen"]}
        if "seen_before" in t:
            rows |= {"before": t["seen_before"], "after": t["seen_after"]}
        numbers |= measure.row_gradient_numbers(rows, t["elements"], tf.size(t["after"], tf.int64))
    if none is not None:
        numbers["gradient_none"] = tf.constant(float(none), tf.float64)
    if "raw" in t:
        numbers["raw_gradient_norm"] = measure.norm(t["raw"], t["raw"])
    if "gradient_norm" not in numbers:
        return (numbers,)
    if same:
        numbers["raw_gradient_norm"] = numbers["gradient_norm"]
    sketch = t["sketch"] if "seen" in t else measure.sample_of_flat(t["gradient"], t["step"])
    if "previous" in t:
        numbers["gradient_cosine"] = measure.cosine(t["previous"], sketch)
    return numbers, sketch


def _layer(t: dict[str, Any], activation: str) -> Any:
    if "mask" not in t:
        return (measure.layer_numbers(t["output"], activation),)
    mask = measure.dead_units(t["output"]) & t["mask"]
    return measure.layer_numbers(t["output"], activation, mask), mask


def _batch(inputs: list[Any], targets: list[Any], predictions: list[Any]) -> dict[str, Any]:
    found = measure.batch_numbers(inputs or None, targets or None, predictions or None)
    return {name: tf.cast(value, tf.float64) for name, value in found.items()}
