"""The update in float64."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...verdict import TestedCause, number
from ..exact_updates import dense_pairs, exact_updates, float64
from ..experiment import Lab, Result, experiment
from ..program import CannotRun
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


@experiment(name="update-precision", tests=("update-below-precision",), steps=4, traces=2, compares_losses=False)
def update_precision(lab: Lab) -> Result:
    """Makes the same step in the precision of the weights and in float64, and counts the updates that are lost.

    What it does:
        It takes the gradients of one batch, applies them to the weights by the program's own step, and applies them
        to a float64 copy of the weights by a copy of the optimizer. An update is lost where the exact one is not 0
        and the weight did not change.

    What it confirms:
        Updates below the precision of the weights, if more than half of the elements that should move do not.

    What it refutes:
        It, if fewer than a tenth are lost.

    What it cannot tell:
        What happens in later steps, in which gradients differ. If the exact updates are below a millionth of the
        weights, they are too small at any precision, and it stays open.

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
    with lab.state.restored():
        lab.trials.spending.add_step()
        step = program.gradients(batch)
    pairs = dense_pairs(step.gradients, step.variables)
    if not pairs:
        raise CannotRun("there is no gradient for any variable")
    exact = exact_updates(program.optimizers, pairs)
    with lab.state.restored():
        before = [float64(v) for _, v in pairs]
        lab.trials.spending.add_step()
        program.step(batch)
        moved = [float64(v) - old for (_, v), old in zip(pairs, before, strict=True)]
    lost = _lost(exact, moved, pairs, before)
    message = (
        f"{number(100 * lost.share, 2)} % of the elements that move in float64 do not move in "
        f"{_dtypes(pairs)}; the exact update is {number(lost.relative, 2)} of the weights"
    )
    return Result(message, (_cause(lost, message),))


def _cause(lost: Lost, message: str) -> TestedCause:
    name = "update-below-precision"
    if lost.share < 0.1:
        return TestedCause(name, "refuted", message)
    return TestedCause(name, "confirmed" if lost.share > _MOST and lost.relative > _NEGLIGIBLE else "open", message)


def _lost(exact: list[Any], moved: list[Any], pairs: list[tuple[Any, Any]], before: list[Any]) -> Lost:
    """Counts as lost what rounding explains: an element that keeps its value when the exact update is added to it."""
    should = np.concatenate([np.ravel(update != 0) for update in exact])
    lost = np.concatenate([
        np.ravel((step == 0) & ((old + update).astype(dtype) == old.astype(dtype)))
        for update, step, old, dtype in zip(exact, moved, before, map(_numpy_dtype, pairs), strict=True)
    ])  # fmt: skip
    norms = [np.sqrt(sum(float(np.sum(np.square(a))) for a in arrays)) for arrays in (exact, before)]
    share = float(np.mean(lost[should])) if should.any() else 0.0
    return Lost(share, float(norms[0] / norms[1]) if norms[1] else float("inf"))


def _numpy_dtype(pair: tuple[Any, Any]) -> Any:
    return tensor_variable(pair[1]).dtype.as_numpy_dtype


def _dtypes(pairs: list[tuple[Any, Any]]) -> str:
    return " and ".join(sorted({str(tensor_variable(v).dtype.name) for _, v in pairs}))
