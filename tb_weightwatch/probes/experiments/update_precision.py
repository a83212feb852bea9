"""The update in float64."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np

from ...capture.observe import base_optimizers
from ...verdict import TestedCause, number
from ..experiment import Lab, Result, experiment
from ..program import CannotRun, copied
from ..slopes import dense
from ..state import tensor_variable

_MOST = 0.5  # share of the elements whose update is lost
_NEGLIGIBLE = 1e-6  # relative update at any precision


class Lost(NamedTuple):
    """What rounding did to one step.

    Attributes:
        share: of the elements that should have moved, those that did not.
        relative: norm of the exact update over that of the weights.
    """

    share: float
    relative: float


@experiment(name="update-precision", tests=("update-below-precision",), steps=4, traces=2)
def update_precision(lab: Lab) -> Result:
    """Makes the same step in the precision of the weights and in float64, and counts the updates that are lost.

    What it does:
        It takes the gradients of one batch, applies them to the weights by the program's own step, and applies them
        to a float64 copy of the weights by a copy of the optimizer. An update is lost where the exact one is not 0
        and the weight did not change.

    What it confirms:
        Updates below the precision of the weights, if more than half of the elements that should move do not.

    What it refutes:
        It, if fewer than a tenth are lost; or if the exact updates are below a millionth of the weights, which is too
        small at any precision: then the updates are at fault, not the precision.

    What it cannot tell:
        What happens in later steps, in which gradients differ.

    Confirming example:
        keras.config.set_dtype_policy("float16")
        model = net(1)
        keras.config.set_dtype_policy("float32")
        model.compile(optimizers.SGD(1e-4, loss_scale_factor=1.0), "mse")
        report = ww.probe(model, x.astype("float16"), number, experiments=["update-precision"])

    Refuting example:
        model = net(1)
        model.compile(optimizers.SGD(1e-2), "mse")
        report = ww.probe(model, x, number, experiments=["update-precision"])
    """
    program, batch = lab.program, lab.batches[0]
    if len(program.optimizers) != 1 or len(base_optimizers(program.optimizers[0])) != 1:
        raise CannotRun("there is not exactly one optimizer that could be copied in float64")
    with lab.state.restored():
        lab.trials.spending.add_step()
        step = program.gradients(batch)
    pairs = [(dense(g), v) for g, v in zip(step.gradients, step.variables, strict=True) if g is not None]
    if not pairs:
        raise CannotRun("there is no gradient for any variable")
    exact = _exact_updates(program.optimizers[0], pairs)
    with lab.state.restored():
        before = [_float64(v) for _, v in pairs]
        lab.trials.spending.add_step()
        program.step(batch)
        moved = [_float64(v) - old for (_, v), old in zip(pairs, before, strict=True)]
    lost = _lost(exact, moved, before)
    message = (
        f"{number(100 * lost.share, 2)} % of the elements that move in float64 do not move in "
        f"{_dtypes(pairs)}; the exact update is {number(lost.relative, 2)} of the weights"
    )
    return Result(message, (_cause(lost, message),))


def _cause(lost: Lost, message: str) -> TestedCause:
    name = "update-below-precision"
    if lost.share < 0.1 or lost.relative < _NEGLIGIBLE:
        return TestedCause(name, "refuted", message)
    return TestedCause(name, "confirmed" if lost.share > _MOST else "open", message)


def _float64(variable: Any) -> Any:
    return tensor_variable(variable).numpy().astype(np.float64)


def _exact_updates(optimizer: Any, pairs: list[tuple[Any, Any]]) -> list[Any]:
    """Returns the updates that a copy of the base optimizer, with its slots, makes of float64 weights."""
    source = base_optimizers(optimizer)[0]
    copy = copied(source)
    weights = [keras.Variable(_float64(v), dtype="float64", trainable=True, name=f"exact_{i}")
               for i, (_, v) in enumerate(pairs)]  # fmt: skip
    copy.build(weights)
    if source.built and len(source.variables) == len(copy.variables):
        for target, value in zip(copy.variables, source.variables, strict=True):
            if target.shape == value.shape:
                target.assign(keras.ops.cast(value, target.dtype))
    before = [_float64(weight) for weight in weights]
    copy.apply([keras.ops.convert_to_tensor(g.astype(np.float64)) for g, _ in pairs], weights)
    return [_float64(weight) - old for weight, old in zip(weights, before, strict=True)]


def _lost(exact: list[Any], moved: list[Any], before: list[Any]) -> Lost:
    should = np.concatenate([np.ravel(update != 0) for update in exact])
    did = np.concatenate([np.ravel(update != 0) for update in moved])
    norms = [np.sqrt(sum(float(np.sum(np.square(a))) for a in arrays)) for arrays in (exact, before)]
    share = float(np.mean(~did[should])) if should.any() else 0.0
    return Lost(share, float(norms[0] / norms[1]) if norms[1] else float("inf"))


def _dtypes(pairs: list[tuple[Any, Any]]) -> str:
    return " and ".join(sorted({str(tensor_variable(v).dtype.name) for _, v in pairs}))
