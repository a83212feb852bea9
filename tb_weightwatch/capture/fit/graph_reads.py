"""Reading a gradient in a graph without becoming a reader of the user's own tensor.

TensorFlow's graph optimizer rewrites what has a single reader: where a gradient is a product, as BatchNormalization's
`gamma` has it, `(a * b) * learning_rate` becomes `a * (b * learning_rate)`. A second reader would stop that, and the
user's training would be rounded differently (3e-7 after 40 steps with SGD). So the last operation is made once more,
for us, where it costs next to nothing.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.core.framework.attr_value_pb2 import AttrValue

# Element by element, without state: as cheap as reading. What is dear (MatMul, convolutions) is not rewritten so.
_CHEAP = {"Add", "AddV2", "Sub", "Mul", "MulNoNan", "Neg", "RealDiv", "Div", "DivNoNan", "Square", "Sqrt", "Rsqrt"}
_CHEAP |= {"Maximum", "Minimum", "Select", "SelectV2", "Cast", "Identity", "Reshape", "Squeeze", "ExpandDims"}
# Unlike its original in that alone, the copy is not taken for a duplicate and merged with it.
_MARK = {"_weightwatch": AttrValue(b=True)}


def independent_read(tensor: Any) -> Any:
    """Returns the same value, in a graph from an operation of our own where that is cheap."""
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
            [one.dtype for one in operation.outputs],
            name="weightwatch",
            attrs=attributes,
        )
    return copy.outputs[tensor.value_index]
