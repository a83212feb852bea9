"""701 frozen-weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import Severity
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import Bool, Carry, column, ever, incremental, loss_trend, model_layers, variables
from ...wording import evidence, is_custom_loop, plural, quote_list

# Layers whose variables are statistics or constants: never trainable, by nature.
_STATISTICS = ("moving_mean", "moving_variance", "seed_generator", "seed", "mean", "variance", "count", "iterations")


@rule(code=701, name="frozen-weights", link="weight", explains=("learning-rate-too-small", "no-gradient"))
def frozen_weights(history: History) -> Finding[Any] | CannotTell | None:
    """Weights that are set not to train: trainable=False.

    What it sees:
        The `trainable` flags: whether all weights, or those of the layer nearest the loss, are frozen. A frozen base
        under a trainable head is only mentioned.

    Why it matters:
        A frozen weight gets no update whatever the loss, the gradient and the learning rate are; Keras does not warn.

    When it is a false alarm:
        Transfer learning freezes the base on purpose, and a GAN trains its generator through a frozen discriminator:
        both are remarks. Statistics such as BatchNormalization's are never trainable and do not count.

    What to try:
        Set `layer.trainable = True` for what should learn, then compile again: without that the change has no effect.

    Sick example:
        model = net(1)
        model.trainable = False
        watch = fit(model, x, number, "mse")

    Healthy example:
        model = net(1)
        model.trainable = True
        watch = fit(model, x, number, "mse")

    References:
        https://keras.io/guides/transfer_learning/

    Args:
        history: what was recorded.
    """
    if not variables(history):
        return CannotTell("no variable was described")
    frozen, weights = _frozen(history)
    if not weights.any() or not (frozen & weights).any():
        return None
    ice = frozen & weights
    everything = ~(weights & ~frozen).any(axis=1) & ~_moves(history)
    head, last = _head(history, ice, weights)
    firing = ice & (everything | head | ice.any(axis=1))[:, None]

    def tell(row: int, concerned: NDArray[np.intp]) -> VerdictText:
        count, total = len(concerned), int(weights.sum())
        elements = sum(variables(history)[i].size for i in concerned)
        names = [variables(history)[i].name for i in concerned]
        severity: Severity = "info"
        if everything[row]:
            severity = "error"
            message = (
                f"Everything is frozen: all {plural(total, 'weight variable')} ({elements:,} numbers) have "
                f"trainable=False, "
                "so nothing can learn"
            )
        elif head[row]:
            severity = "warning"
            message = (
                f"The layer nearest the loss, '{last}', is frozen (trainable=False), while layers before it train: "
                f"{quote_list(names)} can not move"
            )
        else:
            message = (
                f"{count} of {total} weight variables are frozen (trainable=False), {quote_list(names)}; the others "
                f"train, as in "
                "transfer learning"
            )
        again = (
            "" if is_custom_loop(history) else "\n    model.compile(...)   # again: without it the change has no effect"
        )
        layer = last if head[row] else variables(history)[int(concerned[0])].layer
        return VerdictText(
            message=message,
            fix=f"Let what should learn be trainable:\n    model.trainable = True{again}"
            if everything[row]
            else f"If they should learn:\n    model.get_layer('{layer}').trainable = True{again}",
            evidence=(evidence("frozen variables", count, f"of {total}", quantity="update_norm"),),
            severity=severity,
            certainty="certain",
        )

    return Finding(firing, tell)


def _frozen(history: History) -> tuple[Bool, Bool]:
    """Returns `[T, V]` which variables were frozen at each row (flags are dated), and `[V]` which are weights."""
    names = {v.name: i for i, v in enumerate(variables(history))}
    frozen = np.zeros((len(history), len(names)), bool)
    for record in history.of_kind("variables"):
        row = int(np.searchsorted(history.steps, max(1, record.step)))
        for item in record.data.get("items", ()):
            if "trainable" in item:
                frozen[row:, names[item["name"]]] = not item["trainable"]
    kinds = {str(x.get("name")): str(x.get("class")) for x in model_layers(history)}
    weights = np.array([_is_weight(v.name, v.dtype, kinds.get(v.layer, "")) for v in variables(history)], bool)
    return frozen, weights


def _is_weight(name: str, dtype: str, kind: str) -> bool:
    last = name.rstrip("0123456789:").rsplit("/", 1)[-1].rstrip("_")
    return "int" not in dtype and last not in _STATISTICS and kind not in ("Normalization", "SeedGenerator")


def _moves(history: History) -> Bool:
    """Returns `[T]` whether any weight has moved so far, by whatever hand."""
    return ever(_stirred(history))


@incremental
def _stirred(rows: History, carry: Carry) -> Bool:
    update = column(rows, "update_norm")
    if update is None:
        return np.zeros(len(rows), bool)
    weights = np.array([_is_weight(v.name, v.dtype, "") for v in variables(rows)], bool)
    return np.asarray(((update > 0) & weights).any(axis=1))


def _head(history: History, ice: Bool, weights: Bool) -> tuple[Bool, str]:
    """Returns `[T]` whether the layer nearest the loss is frozen alone, and its name.

    A longer frozen end (a discriminator, a perceptual network) is somebody's intention, unless the loss does not fall.
    """
    none = np.zeros(len(history), bool)
    order = _by_depth(history, weights)
    if len(order) < 2:
        return none, ""
    shut = np.stack([ice[:, places].all(axis=1) for _, places in order], axis=1)
    length = np.argmax(~shut[:, ::-1], axis=1)
    alone = shut[:, -1] & ~shut.all(axis=1) & (length == 1)
    trend = loss_trend(history)
    stalled = (
        shut[:, -1]
        & ~shut.all(axis=1)
        & trend.enough_rows
        & (trend.finite_rows > 20)
        & (np.abs(trend.relative_decrease) < 0.02)
    )
    return alone | stalled, order[-1][0]


def _by_depth(history: History, weights: Bool) -> list[tuple[str, Any]]:
    """Returns the layers with weights from input to output, each with its variables' places."""
    owners: dict[str, list[int]] = {}
    for i, v in enumerate(variables(history)):
        if weights[i]:
            owners.setdefault(v.layer or v.name, []).append(i)
    known = [str(x.get("name")) for x in model_layers(history) if str(x.get("name")) in owners]
    return [(name, owners[name]) for name in (known if len(known) == len(owners) else list(owners))]
