"""403 vanishing-gradient."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...fixes import layer_code, layer_of_variable
from ...rule import CannotTell, Evidence, Finding, History, VerdictText, rule
from ...wording import number


@rule(
    code=403,
    name="vanishing-gradient",
    link="gradient",
    needs=("gradient_norm", "weight_norm"),
    explains=("constant-output", "learning-rate-too-small", "update-below-precision", "no-learning-signal"),
)
def vanishing_gradient(
    history: History, *, fall: float = 1e-3, layers_least: int = 4, rows: int = 16
) -> Finding[Details] | CannotTell | None:
    """Gradients that shrink from layer to layer towards the input, until the first layers hardly learn.

    What it sees:
        In a network of several layers, gradients (relative to their weights) that shrink from layer to layer towards
        the input, to less than a thousandth of those at the output, while the loss does not fall.

    Why it matters:
        Each layer multiplies the gradient by its slope and its weights. A sigmoid's slope is 0.25 at most: after ten of
        them a millionth is left. The last layers fit what passes through layers that never learned.

    When it is a false alarm:
        A network whose loss falls has no problem, however small its first gradients are: nothing is reported. Gradients
        that are exactly zero have other causes and are not reported here.

    What to try:
        ReLU with He initialisation, residual connections, BatchNormalization or LayerNormalization between layers.

    Sick example:
        stack = [layers.Dense(16, "sigmoid") for _ in range(12)]
        model = keras.Sequential([keras.Input((8,)), *stack, layers.Dense(3, "softmax")])
        watch = fit(model, x, kind, "sparse_categorical_crossentropy", optimizers.SGD(0.1))

    Healthy example:
        stack = [layers.Dense(16, "relu", kernel_initializer="he_normal") for _ in range(6)]
        model = keras.Sequential([keras.Input((8,)), *stack, layers.Dense(3, "softmax")])
        watch = fit(model, x, kind, "sparse_categorical_crossentropy", optimizers.SGD(0.1))

    References:
        Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks (2010)

    Args:
        history: what was recorded.
        fall: ratio of the first to the last layer's relative gradient below which it counts.
        layers_least: how many matrices in a row there must be.
        rows: recorded steps before it is reported.
    """
    profile, trend = signals.kernel_profile(history), signals.loss_trend(history)
    if len(profile.places) < layers_least or not len(history):
        return None
    pull, norm = profile.pull, signals.single_column(history, "gradient_norm", profile.places[0])
    nonzero = (pull[:, 0] > 0) & (norm > 0)
    stuck = trend.enough_rows & trend.not_improving(0.95) & ~trend.low() & (trend.finite_rows >= rows)
    firing = (pull[:, 0] / pull[:, -1] < fall) & _falls_steadily(history) & stuck & nonzero & _barely_learns(history)
    return Finding(firing, partial(measure, history), text, evidence) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        first, last: names of the kernels nearest to the input and to the output.
        kernels: number of kernels from input to output.
        ratio: relative gradient ‖g‖ / ‖w‖ of the first kernel over that of the last.
        activations: squashing activations of the model, sorted.
        weak: names of the kernels whose relative gradient is below a tenth of the last one's.
        loss: the course of the loss.
        code: the call that makes the first layer with an activation that passes the gradient on.
    """

    first: str
    last: str
    kernels: int
    ratio: float
    activations: tuple[str, ...]
    weak: tuple[str, ...]
    loss: signals.LossCourse

    code: str = "keras.layers.Dense(units, activation='relu', kernel_initializer='he_normal')"

    @property
    def factor(self) -> float:
        """The factor by which the relative gradient changes per layer."""
        return float(self.ratio ** (1 / (self.kernels - 1)))


def measure(history: History, row: int, _: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row."""
    profile = signals.kernel_profile(history)
    pull, names = profile.pull[row], [signals.variables(history)[i].name for i in profile.places]
    squashing = zip(signals.recorded_layers(history), signals.squashing_layers(history), strict=True)
    below = int(np.searchsorted(pull, 0.1 * pull[-1])) or 1
    return Details(
        first=names[0],
        last=names[-1],
        kernels=len(names),
        ratio=float(pull[0] / pull[-1]),
        activations=tuple(sorted({signals.layer_activation(layer) for layer, squashes in squashing if squashes})),
        weak=tuple(names[: max(1, min(below, len(names) - 1))]),
        loss=signals.loss_course(history, row),
        code=layer_code(
            history, layer_of_variable(history, names[0]), "activation='relu', kernel_initializer='he_normal'"
        ),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    layers = f" ({' and '.join(details.activations)} layers)" if details.activations else ""
    return VerdictText(
        message=f"The gradient vanishes towards the input: relative to the weights it falls from '{details.last}' to "
        f"'{details.first}' to {number(details.ratio)} of its size, a factor of {number(details.factor, 2)} per "
        f"layer over {details.kernels} layers{layers}, and {details.loss.standstill}",
        fix="Use layers that pass the gradient on:\n"
        f"    {details.code}\n"
        "    x = keras.layers.Add()([x, block(x)])   # residual connections, and\n"
        "    keras.layers.BatchNormalization()   # or LayerNormalization between layers",
        variables=details.weak,
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    return (
        Evidence("first over last gradient", details.ratio, "each relative to its weights", quantity="gradient_norm"),
        Evidence("factor per layer", details.factor, f"over {details.kernels} layers", quantity="gradient_norm"),
    )


@signals.incremental
def _falls_steadily(rows: History, carry: signals.Carry) -> signals.Bool:
    """Returns `[T]` whether the fall towards the input is spread over the layers and not one single drop."""
    return signals.by_distinct_row(_falls_in_row, signals.kernel_profile(rows).pull)


def _falls_in_row(pull: signals.Float) -> signals.Bool:
    logs = np.log10(np.where(pull > 0, pull, np.nan))
    drops = np.diff(logs, axis=1)
    whole = logs[:, -1] - logs[:, 0]
    shrinking = np.nanmean(drops > 0.1, axis=1) if drops.shape[1] else np.zeros(len(pull))
    return np.asarray((shrinking >= 0.6) & (np.fmax.reduce(drops, axis=1) < 0.8 * whole))


def _barely_learns(history: History) -> signals.Bool:
    """Returns `[T]` whether the first matrix hardly moves, or moves by gradients too small to hold a direction."""
    place = signals.kernel_profile(history).places[0]
    if not history.has("update_norm"):
        return np.ones(len(history), bool)
    update, weight, norm = (
        signals.single_column(history, n, place) for n in ("update_norm", "weight_norm", "gradient_norm")
    )
    slow = signals.running_mean(update / weight) < 1e-4
    if not signals.is_normalized(history):
        return np.asarray(slow)
    # Adam makes steps of usual size from the smallest gradient; they follow noise once epsilon is near.
    element = signals.running_mean(norm) / np.sqrt(max(1, signals.variables(history)[place].size))
    return np.asarray(
        slow
        | (element < 10 * signals.optimizer_setting(history, "epsilon", 1e-7))
        | (signals.kernel_profile(history).pull[:, 0] < 1e-4)
    )
