"""301 loss-activation-mismatch."""

from __future__ import annotations

import numpy as np

from ... import signals
from ...fixes import cross_entropy_class, output_layer_code
from ...rule import CannotTell, Evidence, Finding, History, Severity, SimpleFinding, earliest, rule
from ...wording import is_custom_loop, number


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
def loss_activation_mismatch(history: History, *, rows: int = 30) -> Finding[SimpleFinding] | CannotTell | None:
    """An output activation and a loss that do not go together.

    What it sees:
        From the structure: softmax on a single unit; softmax or sigmoid with a loss that applies it again
        (from_logits=True); raw outputs given to a cross-entropy that expects probabilities; a categorical
        cross-entropy on one unit or on sigmoids; softmax with binary cross-entropy or squared error. Where the loss
        function is not known: a loss whose value is exactly what the batch's targets and predictions give when
        probabilities are treated as raw outputs, or raw outputs as probabilities.

    Why it matters:
        Softmax of one number is always 1, so nothing can be learned. With an activation applied twice the loss cannot
        get below a value far above 0, and only a fraction of the gradient is left. Raw outputs outside 0 to 1 are
        clipped before the logarithm is taken, where the derivative is 0.

    When it is a false alarm:
        When a subclassed model applies an activation in its `call`: such models are reported only where their
        predictions contradict them. Softmax with squared error can train, and is an "info" while the loss decreases.

    What to try:
        Use one of these pairs: Dense(k) with SparseCategoricalCrossentropy(from_logits=True); Dense(1) with
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
        rows: recorded steps before a loss at the minimum of a doubled activation is reported.
    """
    finding = earliest(
        _single_unit(history),
        _activation_twice(history),
        _raw_outputs(history),
        _mismatched_pair(history),
        _mismatch_by_value(history),
        _doubled_minimum(history, rows),
    )
    if finding is None and not signals.loss_facts(history) and is_custom_loop(history):
        return CannotTell("the loss function is not known in a hand-written loop")
    return finding


def _always(history: History) -> signals.Bool:
    return np.ones(len(history), bool)


def _single_unit(history: History) -> SimpleFinding | None:
    """Finds a softmax or a categorical cross-entropy on a single output unit."""
    if signals.output_units(history) != 1:
        return None
    mean = signals.run_column(history, "prediction_mean")
    if signals.output_activation(history) == "softmax" and not (np.abs(mean - 1) > 1e-2).any():
        return SimpleFinding(
            _always(history),
            "The output layer is a softmax on a single unit: it is 1 for every input, so nothing can be learned",
            "Use a sigmoid for two classes:\n"
            "    keras.layers.Dense(1, activation='sigmoid')   # with binary_crossentropy\n"
            "For several classes use one unit each: keras.layers.Dense(classes, activation='softmax'). For numbers use "
            "no activation.",
            (Evidence("output units", 1.0, "of a softmax; it needs at least 2"),),
        )
    if (
        signals.is_cross_entropy(history)
        and "categorical" in signals.loss_name(history)
        and signals.output_is_plain(history)
    ):
        return SimpleFinding(
            _always(history),
            "A categorical cross-entropy gets a single output unit: it is the same for every prediction, because there "
            "is no second class",
            "For two classes:\n    keras.layers.Dense(1, activation='sigmoid')   # with loss='binary_crossentropy'\n"
            "For k classes: keras.layers.Dense(k, activation='softmax')",
            (Evidence("output units", 1.0, "one for each class is needed"),),
        )
    return None


def _activation_twice(history: History) -> SimpleFinding | None:
    """Finds an activation before a loss with from_logits=True."""
    activation = signals.output_activation(history)
    if signals.loss_facts(history).get("from_logits") is not True or activation not in ("softmax", "sigmoid", "relu"):
        return None
    effect = "is applied a second time inside the loss (Keras corrects this silently where it can)"
    return SimpleFinding(
        _always(history),
        f"The loss expects raw outputs (from_logits=True), but the output layer has a {activation}: it "
        f"{'cuts off all negative outputs' if activation == 'relu' else effect}",
        "Remove the activation of the last layer, or declare that the loss gets probabilities:\n"
        f"    {output_layer_code(history)}   # no activation\nor\n"
        f"    keras.losses.{cross_entropy_class(history)}(from_logits=False)",
        severity="warning",
    )


def _raw_outputs(history: History) -> SimpleFinding | None:
    """Finds outputs that are no probabilities before a cross-entropy that expects them."""
    activation, units = signals.output_activation(history), signals.output_units(history) or 1
    if not signals.is_cross_entropy(history) or signals.loss_facts(history).get("from_logits") is True:
        return None
    if activation not in ("linear", "relu", "tanh", "leaky_relu", "elu", "gelu", "silu"):
        return None
    mean = signals.run_column(history, "prediction_mean")
    binary = "binary" in signals.loss_name(history)
    improbable = (mean < -1e-3) | (mean > 1 + 1e-3) if binary else np.abs(mean * units - 1) > 1e-2
    if not signals.output_is_plain(history) and not improbable.any():
        return None
    outputs = "raw outputs (no activation)" if activation == "linear" else f"the outputs of a {activation}"
    first = mean[np.isfinite(mean)][:1]
    return SimpleFinding(
        _always(history),
        f"The loss expects probabilities (from_logits=False), but gets {outputs}: values outside 0 to 1 are clipped, "
        "and nothing is learned from them",
        "Remove any activation of the last layer, and declare that the loss gets raw outputs:\n"
        f"    {output_layer_code(history)}\n    loss = keras.losses.{cross_entropy_class(history)}(from_logits=True)",
        tuple(Evidence("prediction mean", float(m), "of the first batch", quantity="prediction_mean") for m in first),
    )


def _mismatched_pair(history: History) -> SimpleFinding | None:
    """Finds an output activation whose probabilities do not mean what the loss needs."""
    activation, name = signals.output_activation(history), signals.loss_name(history)
    units, trend = signals.output_units(history) or 1, signals.loss_trend(history)
    if not signals.loss_facts(history) or units < 2 or not signals.output_is_plain(history):
        return None
    cross_entropy = signals.is_cross_entropy(history)
    severity: Severity = "warning"
    if activation == "softmax" and cross_entropy and "binary" in name and units > 2:
        reason = "binary cross-entropy judges each class by itself, but a softmax makes the classes compete"
    elif activation == "sigmoid" and cross_entropy and "categorical" in name:
        reason = "categorical cross-entropy needs probabilities that sum to 1, but the outputs are independent sigmoids"
    elif activation == "softmax" and ("mean_squared_error" in name or "mean_absolute_error" in name):
        reason = "with a squared or absolute error, the gradient of a softmax vanishes where it is confident and wrong"
        stalled = trend.enough_rows & trend.near_constant_loss(0.8)
        severity = "warning" if len(stalled) and stalled[-1] else "info"
    else:
        return None
    return SimpleFinding(
        _always(history),
        f"The loss and the output layer do not match: {reason}",
        "For one class out of several:\n    keras.layers.Dense(classes, activation='softmax')\n"
        "    loss='sparse_categorical_crossentropy'\n"
        "For several classes at once: activation='sigmoid' with loss='binary_crossentropy'",
        severity=severity,
        certainty="likely",
    )


def _mismatch_by_value(history: History) -> SimpleFinding | None:
    """Finds, by the value of a loss function that is not known, that it treats predictions as what they are not."""
    if signals.is_cross_entropy(history) or not history.has("cross_entropy", "logit_cross_entropy", "loss"):
        return None
    units, (probabilities, raw_outputs) = signals.predicted_units(history), _can_be_probabilities(history)
    twice = signals.loss_equals(history, "logit_cross_entropy", "cross_entropy") & ~signals.ever(~probabilities)
    if units == 1 and signals.output_activation(history) != "sigmoid":  # small raw outputs may look like probabilities
        twice = np.zeros(len(history), bool)
    clipped = signals.loss_equals(history, "cross_entropy", "logit_cross_entropy") & signals.ever(raw_outputs)
    firing = twice if twice.any() else clipped
    if not firing.any():
        return None
    activation, loss_class = ("sigmoid", "Binary") if units == 1 else ("softmax", "SparseCategorical")
    options = f"activation='{activation}'"
    if twice.any():
        mistake = "probabilities, but treats them as raw outputs (from_logits=True): an activation is applied twice"
        fix = (
            f"    {output_layer_code(history)}   # no activation in the last layer, or\n"
            f"    loss_function = keras.losses.{loss_class}Crossentropy(from_logits=False)"
        )
    else:
        mistake = "raw outputs, but treats them as probabilities (from_logits=False): those outside 0 to 1 are clipped"
        fix = (
            f"    loss_function = keras.losses.{loss_class}Crossentropy(from_logits=True)   # or\n"
            f"    {output_layer_code(history, options)}   # in the last layer"
        )
    loss = signals.run_column(history, "loss")
    return SimpleFinding(
        firing,
        f"The loss gets {mistake}; its value is exactly what these predictions give when they are treated that way",
        f"Make the last layer and the loss agree:\n{fix}",
        (Evidence("loss", float(loss[np.isfinite(loss)][-1]), "as recorded", quantity="loss"),),
    )


def _can_be_probabilities(history: History) -> tuple[signals.Bool, signals.Bool]:
    """Returns `[T]` whether a batch's predictions can be probabilities, and whether they surely are not."""
    mean, units = signals.run_column(history, "prediction_mean"), signals.predicted_units(history)
    if units > 1:  # those of one sample sum to 1
        return np.abs(mean * units - 1) < 1e-3, np.abs(mean * units - 1) > 1e-2
    # The variance of numbers between 0 and 1 is no larger than this.
    limit, variance = mean * (1 - mean), signals.run_column(history, "prediction_std") ** 2
    possible = (mean >= 0) & (mean <= 1) & ~(variance > 1.02 * limit + 1e-6)
    impossible = (mean < -1e-3) | (mean > 1 + 1e-3) | (variance > 1.05 * limit + 1e-4)
    return np.asarray(possible), np.asarray(impossible)


def _doubled_minimum(history: History, rows: int) -> SimpleFinding | None:
    """Finds a loss of an unknown function near the minimum of a cross-entropy that applies the activation again."""
    minimum, constant_loss = signals.double_activation_losses(history)
    loss = signals.run_column(history, "loss")
    known = np.isfinite(loss) & np.isfinite(minimum)
    if signals.loss_facts(history) or history.has("logit_cross_entropy") or not known.any():
        return None
    activation = signals.output_activation(history)
    below = signals.ever(known & (loss < minimum * (1 - 1e-4)))
    near = signals.loss_trend(history).recent - minimum < 0.35 * (constant_loss - minimum)
    # With predictions as confident as this, a correct cross-entropy of right answers would be far below.
    share = 1 / (signals.output_units(history) or 2) if activation == "softmax" else 0.5
    spread = signals.trailing_mean(signals.run_column(history, "prediction_std"), 8)
    confident = spread > 0.7 * np.sqrt(share * (1 - share))
    level, last = float(np.nanmean(minimum)), len(loss) - 1
    loss_class = "BinaryCrossentropy" if activation == "sigmoid" else "SparseCategoricalCrossentropy"
    return SimpleFinding(
        ~below & near & confident & (np.cumsum(known) >= rows),
        "The loss gets probabilities, but treats them as raw outputs (from_logits=True): no recorded loss is below "
        f"{number(level)}, the lowest value of a cross-entropy that applies {activation} a second time, and the last "
        f"are close to it ({signals.loss_course(history, last)})",
        "Declare that the loss gets probabilities, or remove the activation of the last layer:\n"
        f"    loss_function = keras.losses.{loss_class}(from_logits=False)",
        (Evidence("lowest possible loss", level, "of a doubled activation", quantity="loss"),),
        certainty="likely",
    )
