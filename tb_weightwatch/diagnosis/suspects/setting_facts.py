"""Facts about the optimizer's settings: epsilon, decay, momentum, clipping, loss scale."""

from __future__ import annotations

import numpy as np

from ...history import History
from .. import signals
from ..wording import factor, number
from .observation import ROWS, UNKNOWN, Observation, known_values, observe


def settings_are_extreme(history: History) -> Observation:
    """A momentum or beta is so close to 1 that hardly anything new is learned from a step."""
    config = signals.first_optimizer(history).get("config")
    if not isinstance(config, dict):
        return UNKNOWN
    names = ("momentum", "beta_1", "beta_2", "rho")
    extreme = [name for name in names if signals.optimizer_setting(history, name, 0.0) > 0.9995]
    settings = ", ".join(f"{name} {number(signals.optimizer_setting(history, name, 0.0), 6)}" for name in extreme)
    return observe(bool(extreme), f"the optimizer has {settings}", "momentum and betas are usual")


def epsilon_is_large(history: History) -> Observation:
    """Epsilon, or Adagrad's first accumulator, outweighs the gradients."""
    if not signals.optimizer_class(history):
        return UNKNOWN
    effect = signals.epsilon_effect(history)
    if effect is None:
        return Observation(False, "epsilon is as the library sets it")
    ratio = float(effect.ratio[-1])
    text = f"{effect.setting} ({number(effect.value)}) is {factor(ratio, 2)} times the size of a gradient's element"
    return observe(ratio > 10, text, text)


def weight_decay_is_large(history: History) -> Observation:
    """Weight decay makes up most of the updates."""
    if not signals.optimizer_class(history):
        return UNKNOWN
    effect = signals.decay_effect(history)
    if effect is None:
        return Observation(False, "there is no weight decay")
    share = float(effect.share[-1])
    text = f"weight decay ({number(effect.value)}) makes up {number(100 * share, 2)} % of the updates"
    return observe(share > 0.5, text, text)


def gradients_are_clipped(history: History) -> Observation:
    """Clipping takes nearly all of the gradient away."""
    ratio = signals.clipping_ratio(history)[-ROWS:]
    ratio = ratio[np.isfinite(ratio)]
    if not len(ratio):
        return UNKNOWN
    share = float(np.median(ratio))
    text = f"clipping leaves {number(100 * share, 2)} % of the gradients' norm"
    return observe(share < 0.05, text, "clipping leaves the gradients nearly as they are")


def loss_scale_is_not_used(history: History) -> Observation:
    """A hand-written loop has an optimizer that divides gradients by a loss scale, and gradients are tiny after it."""
    scale = signals.latest_run_value(history, "loss_scale")
    if not history.has("loss_scale") or not scale[-1] > 1:
        return Observation(False, "there is no loss scale") if signals.optimizer_class(history) else UNKNOWN
    pull = signals.kernel_profile(history).pull
    size = float(np.nanmax(pull[-1], initial=0.0)) if pull.size else float("nan")
    in_loop = signals.recorder_kind(history) == "loop"
    return observe(
        in_loop and size < 10 / float(scale[-1]),
        f"the optimizer divides gradients by a loss scale of {number(float(scale[-1]))}, after which the largest is "
        f"{factor(size, 2)} times its weight: the loss may never have been multiplied by it",
        "gradients have a usual size after the loss scale is taken out",
    )


def loss_scale_skips_steps(history: History) -> Observation:
    """The loss scale falls, which happens when steps are skipped."""
    scale = known_values(history, "loss_scale")
    if not len(scale):
        return Observation(False, "there is no loss scale") if signals.optimizer_class(history) else UNKNOWN
    text = f"the loss scale went from {number(float(scale[0]))} to {number(float(scale[-1]))}"
    return observe(scale[-1] < 0.5 * scale[0], text, text)
