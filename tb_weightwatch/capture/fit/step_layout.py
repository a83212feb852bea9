"""The layout of a step's tensors among the results of the compiled step.

Each result of a compiled step costs a call, so small tensors leave it end to end in one tensor for each field.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from ...statistics import NOT_OBSERVED, NotObserved, VariableStep
from ...statistics.device import flat_tensors
from ...statistics.fast import SMALL
from ..legacy.optimizers import without_skipped
from ..measure.step_data import StepData

Tensors = dict[str, Any]
FIELDS = ("gradient", "before", "after", "raw")  # of VariableStep
DATA = ("x", "y", "y_pred", "batch")


class Segment(NamedTuple):
    """Where a small tensor lies in the concatenation of its field: `concatenation[where].reshape(shape)`."""

    position: int  # of its variable on the V axis
    where: slice
    shape: tuple[int, ...]


@dataclass(frozen=True)
class StepLayout:
    """How the `StepData` of one trace is packed into named tensors, and unpacked from their values.

    It is determined while the step is traced, and belongs to the compiled step that comes of that trace.

    Attributes:
        variables: descriptions of the variables, the V axis.
        layers: descriptions of the layer uses, the L axis.
        batch_shapes: shapes and types of the first batch.
        segments: field of VariableStep -> its small tensors.
        missing: field and variable's position -> the value of the field if no tensor leaves the step.
        run: names of the run-wide numbers.
        held: position of a variable -> its id, if its weight before the step is no result (`HeldWeights`).
        structures: name in `DATA` -> the structure of the data, with None for each tensor.
        moving_statistics: names of the variables that are moving statistics of BatchNormalization.
    """

    variables: tuple[dict[str, Any], ...]
    layers: tuple[dict[str, Any], ...]
    batch_shapes: dict[str, Any]
    segments: dict[str, tuple[Segment, ...]]
    missing: dict[tuple[str, int], NotObserved | None]
    held: dict[int, int]
    run: tuple[str, ...]
    structures: dict[str, Any]
    moving_statistics: frozenset[str]

    @classmethod
    def of(
        cls,
        step: StepData,
        variables: list[dict[str, Any]],
        layers: list[dict[str, Any]],
        batch_shapes: dict[str, Any],
        held: dict[int, int] | None = None,
    ) -> StepLayout:
        """Returns the layout of a step, given as tensors of its graph, with the descriptions that belong to it."""
        fields = _by_field(step)
        return cls(
            variables=tuple(variables),
            layers=tuple(layers),
            batch_shapes=batch_shapes,
            segments={field: _segments(values) for field, values in fields.items()},
            missing={
                (field, position): None if value is None else NOT_OBSERVED
                for field, values in fields.items()
                for position, value in values.items()
                if not _is_tensor(value)
            },
            held=held or {},
            run=tuple(step.run),
            structures={name: tf.nest.map_structure(lambda _: None, data) for name, data in step.data.items()},
            moving_statistics=step.moving_statistics,
        )

    def pack(self, step: StepData) -> Tensors:
        """Returns the tensors of a step by name."""
        tensors: Tensors = {}
        for field, values in _by_field(step).items():
            segments = self.segments[field]
            packed = {segment.position for segment in segments}
            for position, value in values.items():
                if position not in packed and _is_tensor(value):
                    tensors |= packed_alone(field, position, value)
            if segments:
                # Tensors of one shape are stacked: a thousand reshapes take TensorFlow's graph optimizer many seconds.
                groups = groupby(segments, key=lambda segment: segment.shape)
                stacks = [tf.stack([values[segment.position] for segment in group]) for _, group in groups]
                tensors[field] = tf.concat([tf.reshape(stack, [-1]) for stack in stacks], 0)
        tensors |= {f"output/{name}": output for name, output in step.outputs.items()}
        for name, data in step.data.items():
            tensors |= {f"{name}/{i}": _detached(tensor) for i, tensor in enumerate(flat_tensors(data))}
        if self.run:
            tensors["run"] = tf.stack([tf.cast(value, tf.float64) for value in step.run.values()])
        return tensors

    def unpack(self, tensors: Mapping[str, Any]) -> StepData:
        """Returns the step whose tensors have these values."""
        names = [item["name"] for item in self.variables]
        fields = {field: self._field(field, tensors) for field in FIELDS}
        steps = {}
        for position in sorted(fields["after"]):
            values = {f: fields[f].get(position, self.missing.get((f, position))) for f in FIELDS}
            steps[names[position]] = VariableStep(**values)
        data = {name: self._data(name, tensors) for name in DATA}
        if "batch" not in self.structures:
            data["batch"] = data["x"], data["y"]
        return StepData(
            variables=tuple(names),
            layers={item["name"]: item["activation"] for item in self.layers},
            changes=steps,
            none={},
            outputs={name.removeprefix("output/"): x for name, x in tensors.items() if name.startswith("output/")},
            data=data,
            run=without_skipped(dict(zip(self.run, np.asarray(tensors["run"]), strict=True))) if self.run else {},
            moving_statistics=self.moving_statistics,
        )

    def _field(self, field: str, tensors: Mapping[str, Any]) -> dict[int, Any]:
        values: dict[int, Any] = {}
        if self.segments[field]:
            concatenation = np.asarray(tensors[field])
            values = {s.position: concatenation[s.where].reshape(s.shape) for s in self.segments[field]}
        for name, tensor in tensors.items():
            prefix, _, position = name.partition("/")
            if prefix == field and position.isdigit():
                rows = tensors.get(f"{name}/rows")
                values[int(position)] = tensor if rows is None else tf.IndexedSlices(tensor, rows)
        return values

    def _data(self, name: str, tensors: Mapping[str, Any]) -> Any:
        """Returns inputs, targets or predictions in their structure; as a list if some tensors were left out."""
        count = sum(key.startswith(f"{name}/") for key in tensors)
        flattened = [tensors[f"{name}/{i}"] for i in range(count)]
        structure = self.structures.get(name)
        if structure is None and not count:
            return None
        complete = len(tf.nest.flatten(structure)) == count
        return tf.nest.pack_sequence_as(structure, flattened) if complete else flattened


def packed_alone(field: str, position: int, value: Any) -> Tensors:
    """Returns the tensors of a dense or sparse field of one variable by name."""
    name = f"{field}/{position}"
    if isinstance(value, tf.IndexedSlices):
        return {name: value.values, f"{name}/rows": value.indices}
    return {name: tf.convert_to_tensor(value)}


def _detached(tensor: Any) -> Any:
    return tf.stop_gradient(tensor) if tensor.dtype.is_floating else tf.identity(tensor)


def _is_tensor(value: Any) -> bool:
    return tf.is_tensor(value) or isinstance(value, tf.IndexedSlices)


def _by_field(step: StepData) -> dict[str, dict[int, Any]]:
    """Returns field of VariableStep -> variable's position -> value."""
    positions = {name: position for position, name in enumerate(step.variables)}
    return {field: {positions[n]: getattr(v, field) for n, v in step.changes.items()} for field in FIELDS}


def _segments(values: Mapping[int, Any]) -> tuple[Segment, ...]:
    """Returns the segments of a field's small float32 tensors; those of one shape follow one another."""
    positions: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for position, value in values.items():
        dense = isinstance(value, tf.Tensor) and value.dtype == tf.float32
        if dense and value.shape.is_fully_defined() and value.shape.num_elements() <= SMALL:
            positions[tuple(value.shape)].append(position)
    shapes = [(position, shape) for shape, group in positions.items() for position in group]
    ends = np.cumsum([int(np.prod(shape)) for _, shape in shapes], dtype=np.int64).tolist()
    slices = map(slice, [0, *ends], ends)
    return tuple(Segment(position, where, shape) for (position, shape), where in zip(shapes, slices, strict=True))
