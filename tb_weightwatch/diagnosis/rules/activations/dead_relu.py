"""201 dead-relu."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import (
    Bool,
    any_dead,
    dead_layers,
    dead_relu_by_gradient,
    dead_units,
    is_recorded,
    literal,
    loss_trend,
    recorded_layers,
    relu_layers,
    relu_pairs,
    run_column,
    set_learning_rate_code,
    update_rounded_away,
    variables,
    variables_of_layers,
)
from ...wording import evidence, not_recorded, quote_list


@rule(
    code=201,
    name="dead-relu",
    link="activations",
    explains=("constant-output", "zero-gradient", "vanishing-gradient", "no-learning-signal"),
)
def dead_relu(history: History, *, share: float = 0.5, rows: int = 20) -> Finding[Any] | CannotTell | None:
    """ReLU units that are zero for every sample and so never learn again.

    What it sees:
        A ReLU layer all of whose units are zero for every sample of several recorded batches, or one with more than
        half of its units zero in every batch so far, while the loss stays where it was. Where outputs are not seen: a
        layer after a ReLU whose kernel has a gradient of exactly zero while its bias has one.

    Why it matters:
        The slope of a ReLU is exactly 0 on its flat side: a unit that no sample switches on gets no gradient, so its
        weights stay as they are for ever. A layer that is dead as a whole cuts off all layers before it.

    When it is a false alarm:
        Many zeros are healthy (60 to 80 % of the outputs), and so are some dead units in a network whose loss falls;
        both stay silent. A layer after a gate that starts at zero wakes up within a few steps.

    What to try:
        Lower the learning rate (one step too large is what kills units), scale the inputs, start from He
        initialisation and a bias of 0, or take LeakyReLU or GELU.

    Sick example:
        model = net(1, bias_initializer=keras.initializers.Constant(-20.0))
        watch = fit(model, x, number, "mse")

    Healthy example:
        watch = fit(net(1), x, number, "mse")

    References:
        Lu et al., Dying ReLU and Initialization, https://arxiv.org/abs/1903.06733

    Args:
        history: what was recorded.
        share: share of dead units of a layer above which it counts, if the loss does not fall.
        rows: recorded steps before a partly dead layer is judged.
    """
    if not is_recorded(history, "dead_share"):
        return _by_neighbours(history)
    if not relu_layers(history).any():
        return None
    trend = loss_trend(history)
    whole, partly = any_dead(history, share)
    judged = (np.arange(len(history)) >= rows - 1) & trend.enough_rows & trend.not_improving(0.95)
    firing: Bool = whole | partly & judged
    if not firing.any():
        return None
    units = dead_units(history)

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        dead = np.flatnonzero(dead_layers(history)[row])
        which = dead if len(dead) else np.flatnonzero(units[row] > share)
        names = [recorded_layers(history)[i].name for i in which]
        own_firing = dead_layers(history)[:, which] | (units[:, which] > share) & judged[:, None]
        since = int(history.steps[int(np.flatnonzero(own_firing.any(axis=1))[0])])
        if len(dead):
            many = "layers are" if len(names) > 1 else "layer is"
            message = (
                f"The ReLU {many} dead: every unit of {quote_list(names)} is zero for every sample since about step "
                f"{since:,}, "
                "so no gradient passes and the weights before it can not move"
            )
        else:
            most = float(np.nanmax(units[row, which]))
            message = (
                f"{number(100 * most, 2)} % of the units of ReLU layer {quote_list(names)} have been zero for every "
                f"sample so far, "
                f"and the loss does not fall ({trend.describe(row)})"
            )
        own = variables_of_layers(history, which)
        return VerdictText(
            message=message,
            fix=_fix(history, row),
            evidence=tuple(
                evidence(
                    f"dead units of {recorded_layers(history)[i].name}",
                    v,
                    "share zero for a whole batch",
                    quantity="dead_share",
                )
                for i, v in ((i, history.column("dead_share")[row, i]) for i in which[:3])
            ),
            severity="warning"
            if trend.decreased[row] and not trend.near_constant_loss(0.8)[row] and trend.enough_rows[row]
            else "error",
            certainty="certain" if len(dead) else "likely",
            variables=tuple(variables(history)[i].name for i in own),
        )

    return Finding(np.asarray(firing), tell)


def _by_neighbours(history: History) -> Finding[Any] | CannotTell:
    """Where no layer output was seen: what gradients, or else updates, prove of dead layers."""
    dead = dead_relu_by_gradient(history)
    firing = dead.any(axis=1)
    if not firing.any():
        return not_recorded(history, "dead_share")
    told = "gradient" if is_recorded(history, "gradient_norm") else "update"
    trend = loss_trend(history)

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        chosen = [pair for pair, is_dead in zip(relu_pairs(history), dead[row], strict=True) if is_dead]
        names = quote_list([pair.relu for pair in chosen])
        last = chosen[-1]
        return VerdictText(
            message=f"The ReLU {'layers are' if len(chosen) > 1 else 'layer is'} dead: {names} passes on nothing but "
            f"zeros, since the {told} of '{variables(history)[last.kernel].name}' after it is exactly zero while that "
            f"of '{variables(history)[last.bias].name}' is not, so the weights before it can not move",
            fix=_fix(history, row),
            evidence=(evidence(f"{told} of the kernel after it", 0.0, "exactly", quantity=f"{told}_norm"),),
            severity="warning"
            if trend.decreased[row] and not trend.near_constant_loss(0.8)[row] and trend.enough_rows[row]
            else "error",
            certainty="certain",
            variables=tuple(variables(history)[i].name for pair in chosen for i in pair.own),
        )

    return Finding(np.asarray(firing), tell)


def _fix(history: History, row: int) -> str:
    rate = run_column(history, "learning_rate")[row]
    lower = update_rounded_away(rate / 10) if rate > 0 else 1e-4
    now = f" from {literal(float(rate))}" if rate > 0 else ""
    return (
        f"Start again with units that can recover, and a lower learning rate{now} to {literal(lower)}:\n"
        "    keras.layers.Dense(units, activation='leaky_relu', kernel_initializer='he_normal')\n"
        f"{set_learning_rate_code(history, lower)}"
    )
