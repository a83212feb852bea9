"""Traced functions of our own that measure tensors on a device after the step is over; one trace for each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ...statistics import NOT_OBSERVED, VariableStep, measurable, stride
from ...statistics import device as measure

Known = NDArray[np.bool_]
Tensors = dict[str, Any]
MAX_BATCH_KINDS = 32  # kinds of batches after which targets with another last axis get no trace of their own any more


class DeviceStatistics:
    """Measures tensors by traced functions of the flattened tensors, so that variables of all shapes share one."""

    def __init__(self) -> None:
        self._functions: dict[Any, tuple[Any, Known]] = {}
        self._batch_functions: dict[Any, Any] = {}

    def _run(self, name: Any, numbers_of: Callable[[Tensors], Any], tensors: Tensors, axis: str) -> tuple[Any, Known]:
        """Runs `numbers_of` by the function that was traced for this name and these kinds of tensors.

        Args:
            name: identifies `numbers_of`.
            numbers_of: returns the numbers by quantity, and perhaps further tensors.
            tensors: what it is called with.
            axis: the axis whose quantities it returns.

        Returns:
            (values in the order of the axis, further tensors ...), and which values are known.
        """
        key = (name, *((k, t.dtype, *_traced_shape(k, t)) for k, t in tensors.items()))
        if key not in self._functions:
            known: list[Known] = []

            def traced(given: Tensors) -> Any:
                numbers, *further = numbers_of(given)
                values, values_known = measure.in_order(numbers, axis)
                known.append(values_known)
                return values, *further

            specs = {k: tf.TensorSpec(_traced_shape(k, t), t.dtype) for k, t in tensors.items()}
            function = tf.function(traced, autograph=False).get_concrete_function(specs)
            self._functions[key] = function, known[-1]
        function, values_known = self._functions[key]
        return function(tensors), values_known

    def variable(self, change: VariableStep, is_none: bool | None = None) -> tuple[Any, Known, Any]:
        """Measures what a step did to a variable.

        Args:
            change: its tensors.
            is_none: for a gradient that was not observed, whether it is known to be None all the same.

        Returns:
            Values `[S]` (a tensor), which of them are known, and the sketch of the gradient (None without a gradient).
        """
        gradient, before, after, raw, previous = change[:5]
        tensors = {"after": _flat(after)}
        if before is not None:
            tensors["before"] = _flat(before)
        of_gradient = {} if gradient is None or gradient is NOT_OBSERVED else _gradient_tensors(gradient, before, after)
        tensors |= of_gradient
        if of_gradient and previous is not None:
            tensors["previous"] = tf.convert_to_tensor(previous)
        unclipped = raw is None and bool(of_gradient)
        if raw is not None and raw is not NOT_OBSERVED:
            tensors["raw"] = _flat(measure.gradient_elements(raw, after))
        is_none = is_none if gradient is NOT_OBSERVED else gradient is None
        numbers_of = lambda t: _variable(t, is_none, unclipped)  # noqa: E731
        (values, *sketch), known = self._run(("variable", is_none, unclipped), numbers_of, tensors, "variable")
        return values, known, sketch[0] if sketch else None

    def layer(self, output: Any, activation: str, always_dead: Any) -> tuple[Any, Known, Any]:
        """Measures the output of a layer.

        Returns:
            Values `[A]`, which of them are known, and which units have been dead so far (None where there are none).
        """
        rank, units = output.shape.rank or 0, output.shape[-1] if output.shape.rank else None
        tensors = {"output": tf.reshape(output, [-1, units]) if rank > 1 and units else _flat(output)}
        if rank > 1 and units:
            tensors["mask"] = tf.ones([units], tf.bool) if always_dead is None else tf.convert_to_tensor(always_dead)
        numbers_of = lambda t: _layer(t, activation)  # noqa: E731
        (values, *mask), known = self._run(("layer", activation), numbers_of, tensors, "layer")
        return values, known, mask[0] if mask else None

    def batch(self, inputs: list[Any], targets: list[Any], predictions: list[Any]) -> dict[str, Any]:
        """Returns the run-wide numbers that inputs, targets and predictions give, by quantity."""
        # Of all shapes only the last axis of the targets matters: it tells one column from several.
        fix_last = len(self._batch_functions) < MAX_BATCH_KINDS
        specs = [
            [_batch_spec(x, fix_last and tensors is targets) for x in tensors]
            for tensors in (inputs, targets, predictions)
        ]
        key = tuple(map(tuple, specs))
        if key not in self._batch_functions:
            self._batch_functions[key] = tf.function(_batch, autograph=False).get_concrete_function(*specs)
        return dict(self._batch_functions[key](inputs, targets, predictions))


def _batch_spec(x: Any, fix_last: bool) -> Any:
    rank = x.shape.rank or 0
    last = x.shape[-1] if fix_last and rank > 1 else None
    return tf.TensorSpec([*[None] * (rank - 1), last] if rank else [], x.dtype)


def _flat(x: Any) -> Any:
    return tf.reshape(x, [-1])


def _traced_shape(name: str, tensor: Any) -> list[int | None]:
    """Returns the shape a function is traced for: only what the size of a result depends on is fixed."""
    if name in ("output", "mask"):
        return [None, *tensor.shape[1:]] if name == "output" else tensor.shape.as_list()
    is_large = tensor.shape.num_elements() > measure.CHUNK_SIZE and not name.startswith("rows")
    return tensor.shape.as_list() if is_large else [None] * tensor.shape.rank  # large ones are measured in slices


def _gradient_tensors(gradient: Any, before: Any, after: Any) -> Tensors:
    """Returns the tensors that a gradient is measured by; none if it cannot be measured."""
    if not measurable(gradient.dtype):
        return {}
    if measure.is_measured_by_rows(gradient, after):
        rows = measure.unique_rows(gradient)
        tensors = {"rows": rows.sums, "elements": rows.elements, "sketch": measure.sample(gradient, after)}
        if before is not None:
            tensors |= {"rows_before": tf.gather(before, rows.rows), "rows_after": tf.gather(after, rows.rows)}
        return {k: _flat(x) if k.startswith("rows") else x for k, x in tensors.items()}
    dense, elements = measure.dense(gradient, after)
    if dense.shape != after.shape:
        return {}
    tensors = {"gradient": _flat(dense), "step": tf.constant(stride(int(np.prod(dense.shape))), tf.int32)}
    return tensors if elements is None else tensors | {"elements": elements}


def _variable(t: Tensors, is_none: bool | None, unclipped: bool) -> Any:
    numbers = measure.change_numbers(
        t.get("gradient", NOT_OBSERVED), t.get("before"), t["after"], occurring=t.get("elements")
    )
    if "rows" in t:  # of a sparse gradient
        rows = {"gradient": t["rows"]}
        if "rows_before" in t:
            rows |= {"before": t["rows_before"], "after": t["rows_after"]}
        numbers |= measure.row_gradient_numbers(rows, t["elements"], tf.size(t["after"], tf.int64))
    if is_none is not None:
        numbers["gradient_none"] = tf.constant(float(is_none), tf.float64)
    if "raw" in t:
        numbers["raw_gradient_norm"] = measure.norm(t["raw"], t["raw"])
    if "gradient_norm" not in numbers:
        return (numbers,)
    if unclipped:
        numbers["raw_gradient_norm"] = numbers["gradient_norm"]
    sketch = t["sketch"] if "rows" in t else measure.sample_of_flat(t["gradient"], t["step"])
    if "previous" in t:
        numbers["gradient_cosine"] = measure.cosine(t["previous"], sketch)
    return numbers, sketch


def _layer(t: Tensors, activation: str) -> Any:
    if "mask" not in t:
        return (measure.layer_numbers(t["output"], activation),)
    mask = measure.dead_units(t["output"]) & t["mask"]
    return measure.layer_numbers(t["output"], activation, mask), mask


def _batch(inputs: list[Any], targets: list[Any], predictions: list[Any]) -> dict[str, Any]:
    numbers = measure.batch_numbers(inputs or None, targets or None, predictions or None)
    return {name: tf.cast(value, tf.float64) for name, value in numbers.items()}
