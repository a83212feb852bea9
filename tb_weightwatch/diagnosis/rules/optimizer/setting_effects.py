"""The effects of an optimizer's settings on its updates, by which optimizer-misconfigured judges them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ... import signals
from ...rule import History


class EpsilonEffect(NamedTuple):
    """What epsilon, or Adagrad's initial accumulator, does to the updates.

    Attributes:
        setting: name of the setting.
        value: its value.
        ratio: `[T]` its ratio to the size of the gradients, or to the sum of their squares, to which it is added.
        gradient: `[T]` a typical element of the gradient so far.
    """

    setting: str
    value: float
    ratio: signals.Float
    gradient: signals.Float


def epsilon_effect(history: History) -> EpsilonEffect | None:
    """Returns what epsilon does; None if it is about as the library sets it, or the gradient is not known."""
    element = _gradient_element(history)
    if element is None:
        return None
    gradient = signals.running_mean(element)
    name, size = "epsilon", gradient
    added = signals.optimizer_setting(history, "epsilon", 1e-7)
    if signals.optimizer_class(history) == "Adagrad":
        name = "initial_accumulator_value"
        added = signals.optimizer_setting(history, name, 0.1)
        size = gradient**2 * np.arange(1, len(history) + 1)
    elif signals.optimizer_class(history) == "RMSprop":
        added = float(np.sqrt(added))  # Keras adds it inside the square root
    elif not signals.is_normalized(history):
        return None
    # With a setting about as the library makes it, the gradient is what is small.
    value = signals.optimizer_setting(history, name, 0.0)
    if value <= {"epsilon": 1e-5, "initial_accumulator_value": 1.0}[name]:
        return None
    return EpsilonEffect(name, value, np.asarray(added / size), gradient)


class DecayEffect(NamedTuple):
    """What weight decay does to the weights.

    Attributes:
        value: the weight decay.
        share: `[T]` the share of the updates that it makes up, mean over the rows so far.
        shrinks: `[T]` whether the weights shrink, to half of their first norm or by a tenth per step.
        vanished: `[T]` whether less than a hundredth of their first norm is left.
    """

    value: float
    share: signals.Float
    shrinks: signals.Bool
    vanished: signals.Bool


def decay_effect(history: History) -> DecayEffect | None:
    """Returns what weight decay does; None if there is none, or the weights were not recorded."""
    value = signals.optimizer_setting(history, "weight_decay", 0.0)
    recorded = history.has("weight_norm", "update_norm")
    if not value > 0 or not recorded or not signals.trainable_kernels(history).any():
        return None
    learning_rate = signals.latest_known(signals.run_column(history, "learning_rate"))
    weight, update, first = _kernel_norms(history)
    # Keras subtracts learning rate * weight decay * weight, besides the gradient's update.
    decayed = np.where(np.isfinite(learning_rate), learning_rate, 0) * value * weight
    return DecayEffect(
        value=value,
        share=signals.running_mean(decayed / np.maximum(update, 1e-30)),
        shrinks=(weight < 0.5 * first) | (learning_rate * value > 0.1),
        vanished=weight < 0.01 * first,
    )


@signals.incremental
def _gradient_element(rows: History, carry: signals.Carry) -> signals.Float | None:
    """Returns `[T]` a typical element of the gradient, in the variable where it is largest; None if not known.

    Each element's update is shrunk by its own size.
    """
    norm = signals.column(rows, "gradient_norm")
    if norm is None or not norm.size:
        return None
    element = np.where(signals.trainable(rows), norm / signals.root_sizes(rows), np.nan)
    return np.asarray(np.fmax.reduce(element, axis=1))


@signals.incremental
def _kernel_norms(rows: History, carry: signals.Carry) -> tuple[signals.Float, signals.Float, signals.Float]:
    """Returns `[T]` the norm over all kernels: of the weights, of the update, and of the weights at first."""
    weight, update = signals.column(rows, "weight_norm"), signals.column(rows, "update_norm")
    assert weight is not None and update is not None
    kernels = signals.trainable_kernels(rows)
    weight, update = signals.select_columns(weight, kernels), signals.select_columns(update, kernels)
    return _norm(weight), _norm(update), _norm(carry.first_known(weight))


def _norm(norms: signals.Float) -> signals.Float:
    """Returns `[T]` the norm over all kernels, whose own norms are `[T, K]`."""
    return np.asarray(np.sqrt(np.sum(np.where(np.isfinite(norms), norms, 0) ** 2, axis=1)))
