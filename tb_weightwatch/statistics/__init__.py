"""The table of quantities: what is recorded, in which unit, what it means, and how precisely it is stored.

Nothing is computed inside the training step. After it, one of three packages computes the quantities from the tensors
of the step:

- `reference`: numpy in float64, exact and slow. `fast` falls back to it, and the tests compare with it.
- `fast`: numpy in float32, for arrays in the host's memory.
- `device`: TensorFlow, for tensors on a GPU or TPU, which thus need not be copied. Only this one imports TensorFlow.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

from .candidate_losses import MAX_LOSS_ELEMENTS, loss_candidates
from .change import (
    NOT_OBSERVED,
    Array,
    NotObserved,
    SparseGradient,
    VariableStep,
    dense,
    fits_float32,
    from_indexed_slices,
    measurable,
    stride,
)
from .formulas import FORMULAS, PRECISION
from .maps import variable_maps
from .moving import moving_statistic_numbers

Encoding = Literal["size", "share", "count", "flag", "cosine", "exact"]


class Quantity(NamedTuple):
    """One recorded quantity.

    Attributes:
        name: name of its column in a History.
        axis: "variable" (one number per variable), "layer" (per layer use) or "run".
        title: heading of its chart.
        unit: "" for a pure number.
        meaning: one line.
        encoding: how it is stored. size: non-negative, to 0.4 %, 0 exact; share: 0 and 1 exact, precise near both;
            count: integer, exact; flag: 0 or 1; cosine: -1 to 1, in steps of 1/512; exact: float32.
    """

    name: str
    axis: Literal["variable", "layer", "run"]
    title: str
    unit: str
    meaning: str
    encoding: Encoding


_VARIABLE: tuple[tuple[str, str, str, str, Encoding], ...] = (
    ("gradient_norm", "gradient ‖g‖", "", "l2 norm of the gradient as the optimizer uses it, clipped", "size"),
    ("gradient_max", "largest |g|", "", "largest absolute element of the gradient as the optimizer uses it", "size"),
    ("gradient_zero_share", "gradient zeros", "share", "share of gradient elements that are exactly zero", "share"),
    ("gradient_nonfinite", "gradient NaN/Inf", "elements", "gradient elements that are NaN or infinite", "count"),
    ("gradient_none", "no gradient", "", "1 where backpropagation gave no gradient at all (None)", "flag"),
    ("gradient_cosine", "gradient direction", "cosine", "cosine with the gradient of the step before (-1: reversed)",
     "cosine"),
    ("raw_gradient_norm", "gradient before clipping", "", "l2 norm of the unscaled gradient before clipping", "size"),
    ("weight_norm", "weight ‖w‖", "", "l2 norm of the weight after the step", "size"),
    ("weight_max", "largest |w|", "", "largest absolute element of the weight after the step", "size"),
    ("weight_std", "weight spread", "", "standard deviation of the weight's elements after the step", "size"),
    ("weight_nonfinite", "weight NaN/Inf", "elements", "weight elements that are NaN or infinite", "count"),
    ("update_norm", "update ‖Δ‖", "", "l2 norm of w_after - w_before: what the step truly did", "size"),
    ("update_max", "largest |Δ|", "", "largest absolute change of an element", "size"),
    ("changed_share", "elements moved", "share", "share of elements whose stored value changed at all", "share"),
    ("stuck_share", "stuck elements", "share", "share of elements with a gradient that did not change", "share"),
    ("statistic_norm", "moving statistic", "", "l2 norm of a moving mean or variance after the step", "size"),
    ("statistic_change", "change of a moving statistic", "",
     "l2 norm of how far the step moved a moving mean or variance", "size"),
)  # fmt: skip
_LAYER: tuple[tuple[str, str, str, str, Encoding], ...] = (
    ("zero_share", "output zeros", "share", "share of the layer's outputs that are exactly zero", "share"),
    ("dead_share", "dead units", "share", "share of units that are zero for every sample of the batch", "share"),
    ("always_dead_share", "units dead so far", "share", "share of units zero in every recorded batch so far", "share"),
    ("saturated_share", "saturated outputs", "share",
     "share of outputs where the activation's derivative is under 1 % of its largest", "share"),
    ("blocked_share", "blocked outputs", "share", "share of outputs where the derivative is exactly zero", "share"),
    ("output_mean", "output mean", "", "mean of the layer's outputs", "exact"),
    ("output_std", "output spread", "", "standard deviation of the layer's outputs", "size"),
    ("output_max", "largest |output|", "", "largest absolute output", "size"),
    ("output_nonfinite", "output NaN/Inf", "elements", "outputs that are NaN or infinite", "count"),
)  # fmt: skip
_RUN: tuple[tuple[str, str, str, str, Encoding], ...] = (
    ("loss", "loss", "", "true loss of the batch (not a running mean), before loss scaling", "exact"),
    ("learning_rate", "learning rate", "", "learning rate of the step, after schedules", "exact"),
    ("loss_scale", "loss scale", "", "factor of mixed precision's loss scaling", "exact"),
    ("iterations", "optimizer iterations", "steps", "the optimizer's own count after the step", "count"),
    ("prediction_mean", "prediction mean", "", "mean of the predictions", "exact"),
    ("prediction_std", "prediction spread", "", "standard deviation over samples, largest over outputs", "size"),
    ("cross_entropy", "cross-entropy of probabilities", "",
     "cross-entropy of this batch, if its predictions are probabilities", "exact"),
    ("logit_cross_entropy", "cross-entropy of logits", "",
     "cross-entropy of this batch, if its predictions are raw outputs (from_logits=True)", "exact"),
    ("squared_error", "mean squared error", "", "mean squared error of this batch, prediction by prediction", "exact"),
    ("absolute_error", "mean absolute error", "",
     "mean absolute error of this batch, prediction by prediction", "exact"),
    ("pair_squared_error", "mean squared error of pairs", "",
     "mean squared error of every prediction with every target, where their shapes make that possible", "exact"),
    ("pair_absolute_error", "mean absolute error of pairs", "",
     "mean absolute error of every prediction with every target, where their shapes make that possible", "exact"),
    ("pair_cross_entropy", "cross-entropy of pairs", "",
     "cross-entropy of every predicted probability with every target, where their shapes make that possible", "exact"),
    ("pair_logit_cross_entropy", "cross-entropy of pairs of logits", "",
     "cross-entropy of every raw output with every target, where their shapes make that possible", "exact"),
    ("input_mean", "input mean", "", "mean of the inputs", "exact"),
    ("input_std", "input spread", "", "standard deviation of all inputs", "size"),
    ("input_max", "largest |input|", "", "largest absolute input", "size"),
    ("input_scale_ratio", "input scales", "", "largest over smallest non-zero standard deviation of a feature", "size"),
    ("input_constant_share", "constant features", "share", "share of input features that do not vary in the batch",
     "share"),
    ("input_nonfinite", "input NaN/Inf", "elements", "input elements that are NaN or infinite", "count"),
    ("target_mean", "target mean", "", "mean of the targets", "exact"),
    ("target_std", "target spread", "", "standard deviation of the targets", "size"),
    ("target_low", "smallest target", "", "smallest target", "exact"),
    ("target_high", "largest target", "", "largest target", "exact"),
    ("target_fraction_share", "fractional targets", "share", "share of targets that are not whole numbers", "share"),
    ("target_sum_error", "target row sums", "", "largest distance of a target row's sum from 1", "size"),
    ("target_nonfinite", "target NaN/Inf", "elements", "target elements that are NaN or infinite", "count"),
    ("batch_size", "batch size", "samples", "number of samples in the batch", "count"),
    ("total_gradient_norm", "norm of all gradients", "",
     "l2 norm of the gradients of all variables together, as another tool logged it", "size"),
    ("validation_loss", "validation loss", "", "loss of the validation data, as another tool logged it", "exact"),
)  # fmt: skip

QUANTITIES: dict[str, Quantity] = {
    name: Quantity(name, axis, title, unit, meaning, encoding)  # type: ignore[arg-type]
    for axis, table in (("variable", _VARIABLE), ("layer", _LAYER), ("run", _RUN))
    for name, title, unit, meaning, encoding in table
}
UPDATE_RATIO = Quantity(
    "update_ratio", "variable", "update ratio ‖Δ‖/‖w‖", "", "size of the step against the size of the weight", "size"
)


@cache
def names(axis: str) -> tuple[str, ...]:
    """Returns the names of the quantities of one axis, in the order of the table."""
    return tuple(q.name for q in QUANTITIES.values() if q.axis == axis)


def quantity(name: str) -> Quantity:
    """Returns the quantity of that name, recorded or derived.

    Raises:
        KeyError: there is no such quantity.
    """
    return UPDATE_RATIO if name == "update_ratio" else QUANTITIES[name]


__all__ = [
    "FORMULAS",
    "MAX_LOSS_ELEMENTS",
    "NOT_OBSERVED",
    "PRECISION",
    "QUANTITIES",
    "UPDATE_RATIO",
    "Array",
    "NotObserved",
    "Quantity",
    "SparseGradient",
    "VariableStep",
    "dense",
    "fits_float32",
    "from_indexed_slices",
    "loss_candidates",
    "measurable",
    "moving_statistic_numbers",
    "names",
    "quantity",
    "stride",
    "variable_maps",
]
