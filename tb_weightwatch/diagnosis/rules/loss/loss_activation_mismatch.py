"""301 loss-activation-mismatch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....history import History
from ....verdict import Severity, number
from ...rule import CannotTell, Finding, SimpleFinding, earliest, rule
from ...signals import (
    Bool,
    double_activation_losses,
    ever,
    is_cross_entropy,
    loss_equals,
    loss_facts,
    loss_name,
    loss_trend,
    output_activation,
    output_is_plain,
    output_units,
    predicted_units,
    run_column,
    trailing_mean,
)
from ...wording import evidence, is_custom_loop


@rule(
    code=301,
    name="loss-activation-mismatch",
    link="loss",
    explains=(
        "constant-output", "saturated-activation", "nonfinite-loss", "zero-gradient", "loss-disconnected",
        "nonfinite-gradient", "vanishing-gradient", "learning-rate-too-small", "no-learning-signal", "nonfinite-weight",
        "learning-rate-too-large", "exploding-gradient", "dead-relu",
    ),
)  # fmt: skip
def loss_activation_mismatch(history: History, *, rows: int = 30) -> Finding[Any] | CannotTell | None:
    """An output activation and a loss that do not go together.

    What it sees:
        From the structure: softmax on a single unit; softmax or sigmoid with a loss that applies it again
        (from_logits=True); raw outputs given to a cross-entropy that expects probabilities; a categorical
        cross-entropy on one unit or on sigmoids; softmax with binary cross-entropy or squared error. Where the loss
        function is not known: a loss of exactly the value that the batch's targets and predictions give when
        probabilities are taken for raw outputs, or raw outputs for probabilities.

    Why it matters:
        Softmax of one number is always 1, so nothing can be learned. An activation applied twice leaves the loss a
        floor far above 0 and a fraction of the gradient. A logarithm of raw outputs is clipped, where its slope is 0.

    When it is a false alarm:
        When a subclassed model applies an activation in its `call`: such models are judged only where their
        predictions contradict them. Softmax with squared error can train, and is only mentioned while the loss falls.

    What to try:
        Use one of the pairs: Dense(k) with SparseCategoricalCrossentropy(from_logits=True); Dense(1) with
        BinaryCrossentropy(from_logits=True); Dense(n) with mean squared error.

    Sick example:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        watch = fit(net(3, "softmax"), x, kind, loss)

    Healthy example:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        watch = fit(net(3), x, kind, loss)

    References:
        https://keras.io/api/losses/probabilistic_losses/

    Args:
        history: what was recorded.
        rows: recorded steps before a loss at the floor of a doubled activation is reported.
    """
    looks = (_one_unit, _twice, _raw, _odd_pair, _by_value, lambda known: _floor(known, rows))
    found = earliest(*(look(history) for look in looks))
    if found is not None:
        return found
    if not loss_facts(history):
        return CannotTell("the loss function is not known in a hand-written loop") if is_custom_loop(history) else None
    return None


def _always(history: History) -> np.ndarray:
    return np.ones(len(history), bool)


def _one_unit(history: History) -> SimpleFinding | None:
    units, mean = output_units(history), run_column(history, "prediction_mean")
    activation = output_activation(history)
    if units != 1:
        return None
    if activation == "softmax" and not (np.abs(mean - 1) > 1e-2).any():
        return SimpleFinding(
            _always(history),
            "The output is a softmax on a single unit, which is 1 for every input, so nothing can be learned from it",
            "One unit for two classes takes a sigmoid:\n    keras.layers.Dense(1, activation='sigmoid')   # with "
            "binary_crossentropy\nSeveral classes take one unit each: keras.layers.Dense(classes, "
            "activation='softmax'); numbers take no activation.",
            (evidence("output units", 1, "of a softmax; it needs at least 2"),),
        )
    if is_cross_entropy(history) and "categorical" in loss_name(history) and output_is_plain(history):
        return SimpleFinding(
            _always(history),
            "A categorical cross-entropy on a single output unit is the same for every prediction: there is no other "
            "class to tell it from",
            "For two classes:\n    keras.layers.Dense(1, activation='sigmoid')   # with loss='binary_crossentropy'\n"
            "For k classes: keras.layers.Dense(k, activation='softmax')",
            (evidence("output units", 1, "one for each class is needed"),),
        )
    return None


def _twice(history: History) -> SimpleFinding | None:
    activation = output_activation(history)
    if loss_facts(history).get("from_logits") is not True or activation not in ("softmax", "sigmoid", "relu"):
        return None
    fed = "cuts off all negative logits" if activation == "relu" else "is applied a second time inside the loss"
    return SimpleFinding(
        _always(history),
        f"The loss expects raw outputs (from_logits=True), but the output layer already has a {activation}, which {fed}"
        + ("" if activation == "relu" else " (Keras repairs this in silence where it can)"),
        "Leave the activation out of the last layer, or tell the loss that it gets probabilities:\n"
        "    keras.layers.Dense(units)   # no activation\nor\n"
        f"    keras.losses.{_class(history)}(from_logits=False)",
        severity="warning",
    )


def _class(history: History) -> str:
    binary = "binary" in loss_name(history)
    sparse = "sparse" in loss_name(history)
    return "BinaryCrossentropy" if binary else f"{'Sparse' if sparse else ''}CategoricalCrossentropy"


def _raw(history: History) -> SimpleFinding | None:
    activation, units = output_activation(history), output_units(history) or 1
    if not is_cross_entropy(history) or loss_facts(history).get("from_logits") is True:
        return None
    if activation not in ("linear", "relu", "tanh", "leaky_relu", "elu", "gelu", "silu"):
        return None
    mean = run_column(history, "prediction_mean")
    off = (mean < -1e-3) | (mean > 1 + 1e-3) if "binary" in loss_name(history) else np.abs(mean * units - 1) > 1e-2
    if not output_is_plain(history) and not off.any():
        return None
    what = "raw outputs (no activation)" if activation == "linear" else f"the outputs of a {activation}"
    return SimpleFinding(
        _always(history),
        f"The loss takes its input for probabilities (from_logits=False), but gets {what}: outside 0 to 1 they are "
        "clipped, and nothing is learned there",
        "Tell the loss that it gets raw outputs, from a last layer without activation:\n"
        f"    keras.layers.Dense({units})\n    loss = keras.losses.{_class(history)}(from_logits=True)",
        (evidence("prediction mean", mean[np.isfinite(mean)][0], "of the first batch", quantity="prediction_mean"),)
        if np.isfinite(mean).any()
        else (),
    )


def _odd_pair(history: History) -> SimpleFinding | None:
    activation, units, name = output_activation(history), output_units(history) or 1, loss_name(history)
    trend = loss_trend(history)
    if not loss_facts(history) or units < 2 or not output_is_plain(history):
        return None
    firing, severity, pair = _always(history), "warning", ""
    if activation == "softmax" and is_cross_entropy(history) and "binary" in name and units > 2:
        pair = "a binary cross-entropy, which judges each class by itself, on a softmax, which makes them compete"
    elif activation == "sigmoid" and is_cross_entropy(history) and "categorical" in name:
        pair = "a categorical cross-entropy, which needs probabilities that sum to 1, on independent sigmoids"
    elif activation == "softmax" and ("mean_squared_error" in name or "mean_absolute_error" in name):
        pair = "a squared or absolute error on a softmax, whose slope vanishes where the output is sure and wrong"
        stalled = trend.enough_rows & trend.near_constant_loss(0.8)
        severity = "warning" if len(stalled) and stalled[-1] else "info"
    if not pair:
        return None
    chosen: Severity = "warning" if severity == "warning" else "info"
    return SimpleFinding(
        firing,
        f"The loss and the output layer do not fit: {pair}",
        "For one class of several:\n    keras.layers.Dense(classes, activation='softmax')\n"
        "    loss='sparse_categorical_crossentropy'\nFor several classes at once: activation='sigmoid' with "
        "loss='binary_crossentropy'",
        severity=chosen,
        certainty="likely",
    )


def _by_value(history: History) -> SimpleFinding | None:
    """Where the loss function is not known: what it gives says how it takes the predictions."""
    if is_cross_entropy(history) or not history.has("cross_entropy", "logit_cross_entropy", "loss"):
        return None
    units, (inside, outside) = predicted_units(history), _probabilities(history)
    twice = loss_equals(history, "logit_cross_entropy", "cross_entropy") & ~ever(~inside)
    if units == 1 and output_activation(history) != "sigmoid":  # small raw outputs may look like probabilities
        twice &= False
    raw = loss_equals(history, "cross_entropy", "logit_cross_entropy") & ever(outside)
    if twice.any():
        firing = twice
        what = "probabilities, but takes them for raw outputs (from_logits=True), so an activation is applied twice"
        fix = "    keras.layers.Dense(units)   # no activation in the last layer, or\n"
        fix += "    loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=False)"
    else:
        firing = raw
        what = "raw outputs, but takes them for probabilities (from_logits=False): outside 0 to 1 they are clipped"
        fix = "    loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=True)   # or\n"
        fix += "    keras.layers.Dense(units, activation='softmax')   # in the last layer"
    if units == 1:
        fix = fix.replace("SparseCategorical", "Binary").replace("softmax", "sigmoid")
    loss = run_column(history, "loss")
    return SimpleFinding(
        firing,
        f"The loss gets {what}: it is exactly what these predictions give when they are taken so",
        f"Let the last layer and the loss agree:\n{fix}",
        (evidence("loss", loss[np.isfinite(loss)][-1], "as recorded", quantity="loss"),) if firing.any() else (),
    )


def _probabilities(history: History) -> tuple[Bool, Bool]:
    """Returns `[T]` whether a batch's predictions can be probabilities, and whether they can not be."""
    mean, units = run_column(history, "prediction_mean"), predicted_units(history)
    if units > 1:  # those of one sample sum to 1
        return np.abs(mean * units - 1) < 1e-3, np.abs(mean * units - 1) > 1e-2
    # Numbers between 0 and 1 spread by no more than this.
    most, spread = mean * (1 - mean), run_column(history, "prediction_std") ** 2
    inside = (mean >= 0) & (mean <= 1) & ~(spread > 1.02 * most + 1e-6)
    return np.asarray(inside), np.asarray((mean < -1e-3) | (mean > 1 + 1e-3) | (spread > 1.05 * most + 1e-4))


def _floor(history: History, rows: int) -> SimpleFinding | None:
    floor, skill = double_activation_losses(history)
    loss = run_column(history, "loss")
    known = np.isfinite(loss) & np.isfinite(floor)
    if loss_facts(history) or history.has("logit_cross_entropy") or not known.any():
        return None
    under = np.logical_or.accumulate(known & (loss < floor * (1 - 1e-4)))
    near = loss_trend(history).recent - floor < 0.35 * (skill - floor)
    # With predictions as sure as this, an honest cross-entropy of right answers would be far below.
    share = 1 / (output_units(history) or 2) if output_activation(history) == "softmax" else 0.5
    sure = trailing_mean(run_column(history, "prediction_std"), 8) > 0.7 * np.sqrt(share * (1 - share))
    firing = ~under & near & sure & (np.cumsum(known) >= rows)
    level = number(float(np.nanmean(floor)))
    return SimpleFinding(
        firing,
        f"The loss has settled at {level}, the exact floor of a cross-entropy that applies {output_activation(history)}"
        " a second time: the loss gets probabilities but takes them for raw outputs (from_logits=True)",
        "Tell the loss that it gets probabilities, or leave the activation out of the last layer:\n"
        "    loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=False)",
        (evidence("lowest possible loss", float(np.nanmean(floor)), "of a doubled activation", quantity="loss"),),
        certainty="likely",
    )
