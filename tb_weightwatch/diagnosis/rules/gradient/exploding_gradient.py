"""404 exploding-gradient."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Evidence, Finding, History, VerdictText, rule
from ...wording import factor, is_custom_loop, number


@rule(
    code=404,
    name="exploding-gradient",
    link="gradient",
    needs=("gradient_norm", "weight_norm"),
    explains=(
        "learning-rate-too-large", "nonfinite-loss", "nonfinite-gradient", "nonfinite-weight", "zero-gradient",
        "update-below-precision",
    ),
)  # fmt: skip
def exploding_gradient(
    history: History, *, pull: float = 100.0, growth: float = 1000.0, rows: int = 8
) -> Finding[Details] | CannotTell | None:
    """Gradients that are enormous, or grow by orders of magnitude, and ruin the training.

    What it sees:
        Gradients that are a hundred times as large as their weights from the first step on, or gradients that grow a
        thousandfold over the run although the updates are small; the learning rate is not far above the typical one.
        **And** the training suffers: values become NaN, the loss jumps far above its start and stays there, or it
        rises to a multiple of its start.

    Why it matters:
        Long sequences and deep stacks multiply the gradient by weights again and again, so it grows with every factor
        above 1. A single update with such a gradient can destroy the weights.

    When it is a false alarm:
        A loss that is a sum instead of a mean makes every gradient large, which is harmless under Adam: nothing is
        reported while the loss falls. A learning rate far above the typical one is reported instead of the gradient.

    What to try:
        Clip by global norm (at about the typical norm of this run), lower the learning rate, normalize between layers,
        shorten the sequences.

    Sick example:
        def loss(y, p):
            return 1e6 * mse(y, p)

        watch = loop(net(1), x, number, loss, optimizers.SGD(0.01))

    Healthy example:
        watch = loop(net(1), x, number, mse, optimizers.SGD(0.01))

    References:
        Pascanu et al., On the difficulty of training recurrent neural networks, https://arxiv.org/abs/1211.5063

    Args:
        history: what was recorded.
        pull: ratio of gradient to weight in the first step above which the gradient is enormous.
        growth: factor by which the gradient must have grown since the first steps.
        rows: recorded steps before anything but NaN is judged.
    """
    norm, initial_norm = _global_norm(history), _initial_norm(history)
    learning_rate = signals.latest_known(signals.run_column(history, "learning_rate"))
    usual_rate = ~(learning_rate > 3 * signals.usual_learning_rate(history))
    # The first rows set the scale. Updates must be small, so that it is not the learning rate that drives it up.
    small_updates = ~(signals.running_max(signals.largest_relative_update(history)) > 0.1)
    grown = (signals.running_max(norm) > growth * initial_norm) & small_updates & (np.arange(len(history)) >= 5)
    firing = (_enormous(history, pull) | grown) & usual_rate & _training_suffers(history, rows)
    return Finding(np.asarray(firing), partial(measure, history, pull), text, evidence) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        kernel: name of the kernel with the largest gradient relative to its weights.
        kernels: names of the kernels from input to output.
        ratio: largest ‖g‖ / ‖w‖ over the kernels in the first step; NaN if it is not known.
        enormous: whether the gradient was enormous from the first step on; otherwise it has grown.
        initial_norm: typical norm of the whole gradient in the first steps; NaN if it is not known.
        largest_norm: largest norm of the whole gradient so far.
        nonfinite: whether the loss, a gradient or a weight has become NaN or infinite.
        loss: the course of the loss.
        clip_norm: the norm at which to clip.
        learning_rate: the learning rate to use with it.
        optimizer: class name of the optimizer.
        custom_loop: whether the training loop is hand-written.
    """

    kernel: str
    kernels: tuple[str, ...]
    ratio: float
    enormous: bool
    initial_norm: float
    largest_norm: float
    nonfinite: bool
    loss: signals.LossCourse
    clip_norm: float
    learning_rate: float
    optimizer: str
    custom_loop: bool


def measure(history: History, pull: float, row: int, _: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row."""
    profile, ratio = signals.kernel_profile(history), float(_initial_ratio(history)[row])
    largest = profile.places[int(np.nanargmax(profile.pull[row]))] if np.isfinite(ratio) else 0
    enormous, initial_norm = bool(_enormous(history, pull)[row]), _initial_norm(history)
    learning_rate = float(signals.latest_known(signals.run_column(history, "learning_rate"))[row])
    return Details(
        kernel=signals.variables(history)[int(largest)].name,
        kernels=tuple(signals.variables(history)[i].name for i in profile.places),
        ratio=ratio,
        enormous=enormous,
        initial_norm=initial_norm,
        largest_norm=float(signals.running_max(_global_norm(history))[row]),
        nonfinite=bool(signals.ever(signals.anything_nonfinite(history))[row]),
        loss=signals.loss_course(history, row),
        clip_norm=float(f"{initial_norm:.1g}") if np.isfinite(initial_norm) and not enormous else 1.0,
        learning_rate=learning_rate if learning_rate > 0 else signals.usual_learning_rate(history),
        optimizer=signals.optimizer_class(history) or "Adam",
        custom_loop=is_custom_loop(history),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    size = (
        f"in the first recorded step the gradient of '{details.kernel}' was {factor(details.ratio)} times as large as "
        "its weights (below 30 is typical)"
        if details.enormous
        else f"its norm grew from about {number(details.initial_norm)} to {number(details.largest_norm)}"
    )
    effect = "then values became NaN or infinite" if details.nonfinite else details.loss.standstill
    clip_norm, learning_rate = signals.literal(details.clip_norm), signals.literal(details.learning_rate)
    code = (
        f"    gradients, _ = tf.clip_by_global_norm(gradients, {clip_norm})"
        if details.custom_loop
        else f"    keras.optimizers.{details.optimizer}({learning_rate}, global_clipnorm={clip_norm})"
    )
    return VerdictText(
        message=f"The gradient explodes: {size}, and {effect}",
        fix=f"Clip the gradient by its global norm and restart from fresh weights:\n{code}\nAlso look for what "
        "makes it large: the scale of the loss, deep stacks without normalization, long sequences.",
        variables=details.kernels,
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    initial_norm = f"over all variables; {number(details.initial_norm)} at first"
    return (
        Evidence("gradient over weight", details.ratio, "in the first recorded step", quantity="gradient_norm"),
        Evidence("largest gradient norm", details.largest_norm, initial_norm, quantity="gradient_norm"),
    )


def _global_norm(history: History) -> signals.Float:
    """Returns `[T]` the norm of the gradient over all trainable variables; elements that are not finite count as 0."""
    return np.nan_to_num(signals.global_norm(history, "gradient_norm"))


def _initial_norm(history: History) -> float:
    """Returns the median norm of the gradient over the first five rows; NaN if it is 0 in all of them."""
    first = _global_norm(history)[:5]
    return float(np.median(first[first > 0])) if (first > 0).any() else np.nan


@signals.incremental
def _initial_ratio(rows: History, carry: signals.Carry) -> signals.Float:
    """Returns `[T]` the largest ‖g‖ / ‖w‖ over the kernels in the first step; NaN if it is not known."""
    ratio = signals.kernel_profile(rows).pull
    return np.asarray(np.fmax.reduce(ratio, axis=1)) if ratio.shape[1] else np.full(len(rows), np.nan)


def _enormous(history: History, pull: float) -> signals.Bool:
    """Returns `[T]` whether the gradient was enormous in the first step, and the optimizer does not normalize it."""
    return np.asarray((_initial_ratio(history) > pull) & (not signals.is_normalized(history)))


def _training_suffers(history: History, rows: int) -> signals.Bool:
    """Returns `[T]` whether the training is ruined: NaN, or a loss that jumped and has not come back, or rose."""
    trend = signals.loss_trend(history)
    jumped = (trend.peak > 10 * np.maximum(np.abs(trend.start), 1e-12)) & (trend.recent > 0.8 * trend.start)
    rose = trend.recent - trend.recent_margin > 2 * np.abs(trend.start)
    worse = (jumped | rose) & (trend.finite_rows >= rows) & ~trend.low()
    return np.asarray(signals.ever(signals.anything_nonfinite(history)) | worse)
