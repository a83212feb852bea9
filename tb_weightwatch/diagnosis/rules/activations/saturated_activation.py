"""202 saturated-activation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import (
    Bool,
    Carry,
    any_nonzero_gradient,
    column,
    incremental,
    layer_activation,
    loss_trend,
    model_layers,
    recorded_layers,
    saturated_layers,
    squashing_layers,
    trainable,
    variables,
    variables_of_layers,
)
from ...wording import evidence, quote_list


@rule(
    code=202,
    name="saturated-activation",
    link="activations",
    explains=("constant-output", "zero-gradient", "vanishing-gradient", "no-learning-signal"),
)
def saturated_activation(history: History, *, share: float = 0.9, rows: int = 3) -> Finding[Any] | CannotTell | None:
    """Sigmoid or tanh outputs on the flat ends, where the gradient is lost.

    What it sees:
        A sigmoid or tanh layer nearly all of whose outputs lie where the slope is under 1 % of its largest (or
        exactly 0), from the start or growing, while the loss does not fall and is not low.

    Why it matters:
        The gradient of everything before the layer is multiplied by that slope. In float32 a sigmoid is exactly 1 from
        about 17 on, y (1 - y) is then exactly 0, and the gradient of every weight before it is exactly 0 as well.

    When it is a false alarm:
        A trained classifier is sure of its answers: its outputs are saturated at a low loss, and that stays silent.
        Gates of recurrent layers are not looked at.

    What to try:
        Scale the inputs, start from smaller weights, use ReLU in hidden layers, and let the loss see logits
        (from_logits=True), which keeps the gradient where the sigmoid is flat.

    Sick example:
        model = net(1, hidden="sigmoid", bias_initializer=keras.initializers.Constant(30.0))
        watch = fit(model, x, number, "mse")

    Healthy example:
        watch = fit(net(1, hidden="sigmoid"), x, number, "mse", optimizers.Adam(0.02))

    References:
        Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks (2010)

    Args:
        history: what was recorded.
        share: share of a layer's outputs on the flat ends from which it counts as saturated.
        rows: recorded steps before a layer is judged.
    """
    if not history.has("saturated_share"):
        if history.columns("layer") and not squashing_layers(history).any():
            return None  # layers were seen, and none of them can saturate
        return CannotTell(
            "the outputs of sigmoid and tanh layers were not seen: train with ww.WeightWatch, or make "
            "ww.Watch(model=...) before an eager loop"
        )
    if not squashing_layers(history).any():
        return None
    any_flat, any_gone = _flat(history, share)
    trend = loss_trend(history)
    living = any_nonzero_gradient(history)
    enough = np.arange(len(history)) >= rows - 1
    # A loss on logits goes round a flat output: while it falls by much, the gradient is not lost.
    silent = trend.low() | (trend.decreased & (~trend.near_constant_loss(0.9) | (trend.relative_decrease > 0.3)))
    no_gradient: Bool = np.zeros(len(history), bool)
    if living is not None:
        no_gradient = np.asarray(~living)
    # Without a loss only the exact case is judged: outputs flat to the last bit, and nothing gets a gradient.
    stuck = np.where(trend.finite_rows > 0, ~silent & trend.not_improving(0.9), no_gradient)
    cut_off = no_gradient & ~trend.low()
    firing: Bool = (any_flat & stuck.astype(bool) | any_gone & cut_off) & enough
    if not firing.any():
        return None

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        flat, gone = saturated_layers(history, share)[row], _gone(history, share)[row]
        which = np.flatnonzero(flat & bool(stuck[row]) | gone & cut_off[row])
        names = [recorded_layers(history)[i].name for i in which]
        kinds = sorted({layer_activation(recorded_layers(history)[i]) for i in which})
        most = float(np.nanmean(history.column("saturated_share")[row, which]))
        dead = bool(gone[which].any())
        lost = (
            "so the slope there is exactly 0 and no weight before it gets a gradient"
            if dead and no_gradient[row]
            else "where the slope is under 1 % of its largest, so the gradient is lost there"
        )
        words = trend.describe(row)
        message = (
            f"The {' and '.join(kinds)} outputs of {quote_list(names)} are saturated ({number(100 * most, 3)} % of "
            f"them), {lost}" + (f" ({words})" if words else "")
        )
        last = _is_output(history, names)
        own = variables_of_layers(history, which)
        before = own if len(own) else np.flatnonzero(trainable(history))
        return VerdictText(
            message=message,
            fix=(
                "Let the loss see the logits, and scale the inputs so that outputs start near 0:\n"
                "    keras.layers.Dense(units)   # no sigmoid\n"
                "    loss = keras.losses.BinaryCrossentropy(from_logits=True)"
                if last and "sigmoid" in kinds
                else "Scale the inputs (x = (x - mean) / std) and use an activation that is not flat at both ends:\n"
                "    keras.layers.Dense(units, activation='relu', kernel_initializer='he_normal')"
            ),
            evidence=tuple(
                evidence(
                    f"saturated outputs of {recorded_layers(history)[i].name}",
                    history.column("saturated_share")[row, i],
                    "share with a slope under 1 %",
                    quantity="saturated_share",
                )
                for i in which[:3]
            ),
            severity="error",
            certainty="certain" if dead and no_gradient[row] else "likely",
            variables=tuple(variables(history)[i].name for i in before),
        )

    return Finding(np.asarray(firing), tell)


@incremental
def _gone(rows: History, carry: Carry, share: float) -> Bool:
    """Returns `[T, L]` where a layer is saturated to the last bit: its slope is exactly 0."""
    blocked, flat = column(rows, "blocked_share"), saturated_layers(rows, share)
    return (
        np.zeros(flat.shape, bool) if blocked is None else np.asarray((carry.trailing_mean(blocked, 5) > 0.99) & flat)
    )


@incremental
def _flat(rows: History, carry: Carry, share: float) -> tuple[Bool, Bool]:
    """Returns `[T]` whether any layer is saturated, and whether any is to the last bit."""
    return np.asarray(saturated_layers(rows, share).any(axis=1)), np.asarray(_gone(rows, share).any(axis=1))


def _is_output(history: History, names: list[str]) -> bool:
    known = [str(x.get("name")) for x in model_layers(history)]
    last = known[-1] if known else (recorded_layers(history)[-1].name if recorded_layers(history) else "")
    return any(last and (n == last or n.startswith(last)) for n in names)
