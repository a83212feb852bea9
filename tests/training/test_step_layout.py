"""`StepLayout`: the tensors of a step are packed into few results, and unpacked as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tb_weightwatch.capture.fit.step_layout import StepLayout
from tb_weightwatch.capture.measure.step_measurer import StepData
from tb_weightwatch.statistics import NOT_OBSERVED, VariableStep
from tb_weightwatch.statistics.fast import SMALL

RNG = np.random.default_rng(0)


def tensor(*shape: int, dtype: Any = tf.float32) -> tf.Tensor:
    return tf.cast(tf.constant(RNG.normal(size=shape)), dtype)


def item(name: str) -> dict[str, Any]:
    return {"name": name, "activation": "relu"}


def step() -> StepData:
    """A step with variables of all kinds, of which `frozen` has not been trained."""
    sparse = tf.IndexedSlices(tensor(2, 3), tf.constant([4, 0]), tf.constant([5, 3]))
    large, half = tensor(SMALL + 1), tensor(4, dtype=tf.bfloat16)
    steps = {
        "kernel": VariableStep(tensor(3, 2), tensor(3, 2), tensor(3, 2), tensor(3, 2)),
        "bias": VariableStep(None, tensor(2), tensor(2)),
        "second_kernel": VariableStep(NOT_OBSERVED, tensor(3, 2), tensor(3, 2), NOT_OBSERVED),
        "large": VariableStep(large, large + 1, large + 2),
        "half": VariableStep(half, half, half),
        "embedding": VariableStep(sparse, tensor(5, 3), tensor(5, 3)),
        "scalar": VariableStep(tensor(), tensor(), tensor()),
    }
    return StepData(
        variables=("kernel", "frozen", *list(steps)[1:]),
        layers={"dense": "relu"},
        changes=steps,
        none={},
        outputs={"dense": tensor(8, 2)},
        data={"x": {"a": tensor(8, 2), "b": (tensor(8), tf.constant([1, 2]))}, "y": None, "y_pred": tensor(8, 1)},
        run={"loss": tf.constant(2.0), "iterations": tf.constant(7, tf.int64)},
    )


def same(one: Any, other: Any) -> bool:
    """Whether two values, tensors or structures of them are equal."""
    if isinstance(one, tf.IndexedSlices):
        return same(one.values, other.values) and same(one.indices, other.indices)
    if not tf.is_tensor(one):
        return one is other
    return bool(np.array_equal(np.asarray(one), np.asarray(other)) and one.dtype.name == other.dtype.name)


def layout_of(data: StepData) -> StepLayout:
    return StepLayout.of(data, [item(name) for name in data.variables], [item(name) for name in data.layers], {})


@pytest.mark.parametrize("compiled", [False, True])
def test_a_step_is_unpacked_as_it_was_packed(compiled: bool) -> None:
    """Gradients, weights, outputs, batch and numbers survive, eagerly and as results of a compiled step."""
    given = step()
    layout = layout_of(given)
    pack = (lambda: layout.pack(given)) if not compiled else tf.function(lambda: layout.pack(given))
    read = layout.unpack(pack())
    assert read.variables == given.variables and read.layers == given.layers
    assert list(read.changes) == list(given.changes)
    for name, expected in given.changes.items():
        assert all(same(a, b) for a, b in zip(expected, read.changes[name], strict=True)), name
    assert same(given.outputs["dense"], read.outputs["dense"])
    tf.nest.assert_same_structure(read.data["x"], given.data["x"])
    pairs = zip(tf.nest.flatten(given.data["x"]), tf.nest.flatten(read.data["x"]), strict=True)
    assert all(same(a, b) for a, b in pairs)
    assert same(given.data["y_pred"], read.data["y_pred"])
    assert read.data["y"] is None and read.data["batch"] == (read.data["x"], None)
    assert read.run == {"loss": 2.0, "iterations": 7.0}


def test_small_tensors_leave_the_step_in_one() -> None:
    """A field's small float32 tensors make one result; large, sparse and half-precision ones have their own."""
    given = step()
    tensors = layout_of(given).pack(given)
    assert {name for name in tensors if name.startswith("gradient")} == {
        "gradient", "gradient/4", "gradient/5", "gradient/6", "gradient/6/rows",
    }  # fmt: skip
    assert tensors["gradient"].shape == [3 * 2 + 1]


def test_equal_steps_have_equal_layouts() -> None:
    """Traces that differ in nothing share a layout; another gradient makes another one."""
    one, other = step(), step()
    assert layout_of(one) == layout_of(other)
    other.changes["kernel"] = other.changes["kernel"]._replace(gradient=None)  # type: ignore[index]
    assert layout_of(one) != layout_of(other)
