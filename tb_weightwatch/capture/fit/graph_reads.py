"""Reads a gradient in a graph without becoming a consumer of the user's own tensor.

TensorFlow's graph optimizer rewrites operations whose result has a single consumer: where a gradient is a product, as
that of BatchNormalization's `gamma` is, `(a * b) * learning_rate` becomes `a * (b * learning_rate)`. A second consumer
prevents that, and the user's training is rounded differently (3e-7 after 40 steps with SGD). So the last operation is
duplicated for the recorder where it costs next to nothing.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.core.framework.attr_value_pb2 import AttrValue

# Elementwise operations without state, which cost as much as a read. The expensive ones (MatMul, convolutions) are not
# rewritten in this way.
_CHEAP = {"Add", "AddV2", "Sub", "Mul", "MulNoNan", "Neg", "RealDiv", "Div", "DivNoNan", "Square", "Sqrt", "Rsqrt"}
_CHEAP |= {"Maximum", "Minimum", "Select", "SelectV2", "Cast", "Identity", "Reshape", "Squeeze", "ExpandDims"}
# This attribute keeps TensorFlow from merging the copy with its original as a duplicate.
_MARK = {"_weightwatch": AttrValue(b=True)}


def independent_read(tensor: Any) -> Any:
    """Returns the same value; in a graph as the result of an operation of our own, if that operation is cheap."""
    if isinstance(tensor, tf.IndexedSlices):
        return tf.IndexedSlices(independent_read(tensor.values), tensor.indices, tensor.dense_shape)
    if not tf.is_tensor(tensor) or not tf.is_symbolic_tensor(tensor) or tensor.op.type not in _CHEAP:
        return tensor
    operation = tensor.op
    attributes = {**operation.node_def.attr, **_MARK}
    with tf.control_dependencies(operation.control_inputs):
        copy = tensor.graph.create_op(
            operation.type,
            list(operation.inputs),
            [output.dtype for output in operation.outputs],
            name="weightwatch",
            attrs=attributes,
        )
    return copy.outputs[tensor.value_index]
