"""505 clipping-too-tight."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Claim, Evidence, Finding, History, SimpleFinding, VerdictText, rule
from ...wording import is_custom_loop, not_recorded, number


@rule(
    code=505,
    name="clipping-too-tight",
    link="optimizer",
    needs=("update_norm",),
    explains=("learning-rate-too-small", "update-below-precision", "no-learning-signal", "vanishing-gradient"),
)
def clipping_too_tight(
    history: History, *, often: float = 0.5, kept: float = 0.1, rows: int = 10
) -> Finding[Any] | CannotTell | None:
    """Gradient clipping so tight that almost nothing is left of each gradient.

    What it sees:
        More than half of the gradients are clipped to less than a tenth of their norm or, where the program clips them
        itself, the gradient norm is the same tiny number in every step. **And** the updates are tiny as a result, and
        the loss is not improving. Where gradients were not recorded: a bound that, times the learning rate of plain
        gradient descent, allows no update above a millionth of the weights.

    Why it matters:
        Clipping is meant for rare spikes. If every gradient is above the bound, the bound sets the size of every
        update: it is as if the learning rate were multiplied by a tiny number.

    When it is a false alarm:
        Clipping most gradients by a little is common with transformers, and Adam makes up for the scale of its
        gradients. Nothing is reported unless the weights hardly move.

    What to try:
        Set the bound to about the 90th percentile of this run's own gradient norms.

    Sick example:
        watch = fit(net(1), x, number, "mse", optimizers.SGD(0.01, global_clipnorm=1e-5))

    Healthy example:
        watch = fit(net(1), x, number, "mse", optimizers.SGD(0.01, global_clipnorm=10.0))

    References:
        https://www.tensorflow.org/api_docs/python/tf/clip_by_global_norm

    Args:
        history: what was recorded.
        often: share of the gradients that must be clipped.
        kept: mean ratio of the norm after clipping to that before it, below which clipping is too tight.
        rows: recorded steps before it is reported.
    """
    if not signals.is_recorded(history, "gradient_norm"):
        return _by_settings(history, rows)
    after, ratio = signals.global_norm(history, "gradient_norm"), signals.clipping_ratio(history)
    # Clipping by hand shows only as the constant norm that is left of every gradient.
    tight = (signals.running_mean(_is_clipped(ratio)) > often) & (signals.running_mean(ratio) < kept)
    constant = _constant_so_far(after) & (after > 0)
    enough_rows = np.cumsum(np.isfinite(after) & (after > 0)) >= rows
    firing = (tight | constant) & enough_rows & signals.barely_moving(history) & _usual_learning_rate(history)
    return Finding(np.asarray(firing), partial(measure, history, tight), text, evidence) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        bound: the bound of the clipping.
        setting: the optimizer's setting of it: "global_clipnorm", "clipnorm", "clipvalue"; "" for clipping by hand.
        norms_known: whether the norms before clipping are known; otherwise only the constant norm after it is.
        clipped: share of the gradients that were clipped.
        ratio: mean ratio of the norm after clipping to that before it.
        norm_after, norm_before: norm of the whole gradient in this row, after and before clipping.
        new_bound: the bound to set.
        optimizer: class name of the optimizer.
        custom_loop: whether the training loop is hand-written.
        loss: the course of the loss.
        names: names of the trainable variables.
    """

    bound: float
    setting: str
    norms_known: bool
    clipped: float
    ratio: float
    norm_after: float
    norm_before: float
    new_bound: float
    optimizer: str
    custom_loop: bool
    loss: signals.LossCourse
    names: tuple[str, ...]


def measure(history: History, tight: signals.Bool, row: int, _: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row."""
    after, before = (signals.global_norm(history, name) for name in ("gradient_norm", "raw_gradient_norm"))
    ratio = signals.clipping_ratio(history)
    bound, setting = _bound(history, float(after[row]))
    typical = before[: row + 1][np.isfinite(before[: row + 1])] if tight[row] else np.ones(1)
    return Details(
        bound=bound,
        setting=setting,
        norms_known=bool(tight[row]),
        clipped=float(signals.running_mean(_is_clipped(ratio))[row]),
        ratio=float(signals.running_mean(ratio)[row]),
        norm_after=float(after[row]),
        norm_before=float(before[row]),
        new_bound=float(f"{np.quantile(typical, 0.9):.1g}") if len(typical) else 1.0,
        optimizer=signals.optimizer_class(history) or "Adam",
        custom_loop=is_custom_loop(history),
        loss=signals.loss_course(history, row),
        names=tuple(signals.variables(history)[i].name for i in np.flatnonzero(signals.trainable(history))),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    new_bound = signals.literal(details.new_bound)
    effect = (
        f"{number(100 * details.clipped, 2)} % of the recorded gradients are clipped, to {number(details.ratio)} of "
        "their norm on average"
        if details.norms_known
        else f"the gradient norm is {number(details.norm_after)} in every recorded step"
    )
    code = (
        f"    gradients, _ = tf.clip_by_global_norm(gradients, {new_bound})"
        if details.custom_loop and not details.setting
        else f"    keras.optimizers.{details.optimizer}(..., global_clipnorm={new_bound})"
    )
    percentile = ", which one gradient in ten exceeds" if details.norms_known else ""
    return VerdictText(
        message=f"Gradients are clipped too tightly ({details.setting or 'bound'} {number(details.bound)}): {effect}, "
        f"so the weights hardly move ({details.loss})",
        fix=f"Raise the bound from {signals.literal(details.bound)} to about {new_bound}{percentile}:\n{code}",
        certainty="certain" if details.norms_known else "likely",
        variables=details.names,
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    return (
        Evidence("norm after clipping", details.norm_after, "over all variables", quantity="gradient_norm"),
        Evidence("norm before clipping", details.norm_before, "over all variables", quantity="raw_gradient_norm"),
    )


def _is_clipped(ratio: signals.Float) -> signals.Float:
    """Returns `[T]` 1 where the gradient was clipped, 0 where it was not, NaN where it is not known."""
    return np.where(np.isfinite(ratio), ratio < 0.99, np.nan)


def _constant_so_far(norm: signals.Float) -> signals.Bool:
    """Returns `[T]` whether the norm has been the same in every step so far, to the precision of the encoding."""
    low, high = np.fmin.accumulate(norm), np.fmax.accumulate(norm)
    return np.asarray(high - low <= 0.01 * high)


def _bound(history: History, norm: float) -> tuple[float, str]:
    """Returns the optimizer's bound and the name of its setting; `norm` and "" if it does not clip."""
    for name in ("global_clipnorm", "clipnorm", "clipvalue"):
        value = signals.optimizer_setting(history, name, 0.0)
        if value > 0:
            return value, name
    return norm, ""


def _usual_learning_rate(history: History) -> signals.Bool:
    """Returns `[T]` whether the learning rate is not to blame: without clipping, updates would be of typical size."""
    learning_rate = signals.run_column(history, "learning_rate")
    return np.asarray(learning_rate >= 0.1 * signals.usual_learning_rate(history))


def _span(history: History) -> tuple[int, int]:
    return int(history.steps[0]), int(history.steps[-1])


def _by_settings(history: History, rows: int) -> Finding[SimpleFinding] | CannotTell:
    """Where no gradient was recorded: gradient descent moves a variable by at most learning rate times bound."""
    bound, setting = _bound(history, 0.0)
    if not (signals.optimizer_class(history) == "SGD" and setting in ("clipnorm", "global_clipnorm")):
        return not_recorded(history, "gradient_norm")
    learning_rate = signals.run_column(history, "learning_rate")
    limit = learning_rate * bound / max(1e-3, 1 - signals.optimizer_setting(history, "momentum", 0.0))
    typical_norm = signals.usual_weight_scale(history) * signals.root_sizes(history)
    smallest_norm = np.min(typical_norm[signals.trainable_kernels(history)], initial=np.inf)
    firing = (limit < 1e-6 * smallest_norm) & signals.barely_moving(history) & _usual_learning_rate(history)
    firing &= np.arange(len(history)) >= rows - 1
    largest_update = float(np.nanmax(limit, initial=0))
    too_tight = SimpleFinding(
        firing,
        f"Gradients are clipped too tightly ({setting} {number(bound)}): with a learning rate of "
        f"{number(float(np.nanmax(learning_rate, initial=0)))} no update can change a variable by more than "
        f"{number(largest_update)}, less than a millionth of its norm",
        f"Raise the bound from {signals.literal(bound)} to about 1:\n"
        f"    keras.optimizers.{signals.optimizer_class(history)}(..., global_clipnorm=1.0)",
        (Evidence("largest possible update", largest_update, "learning rate times the bound"),),
        certainty="certain",
        claims=(Claim("at most", "update_norm", largest_update, *_span(history), signals.trainable_names(history)),),
    )
    return too_tight.finding() or not_recorded(history, "gradient_norm")
