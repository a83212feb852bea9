"""The effects of an optimizer's settings on its updates, by which optimizer-misconfigured judges them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...history import History
from .carry import Carry
from .columns import column, root_sizes, run_column, select_columns, trainable
from .incremental import incremental
from .model_structure import trainable_kernels
from .optimizer import is_normalized, optimizer_class, optimizer_setting
from .scans import Bool, Float, latest_known, running_mean


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
    ratio: Float
    gradient: Float


def epsilon_effect(history: History) -> EpsilonEffect | None:
    """Returns what epsilon does; None if it is about as the library sets it, or the gradient is not known."""
    element = _gradient_element(history)
    if element is None:
        return None
    gradient = running_mean(element)
    name, size = "epsilon", gradient
    added = optimizer_setting(history, "epsilon", 1e-7)
    if optimizer_class(history) == "Adagrad":
        name = "initial_accumulator_value"
        added = optimizer_setting(history, name, 0.1)
        size = gradient**2 * np.arange(1, len(history) + 1)
    elif optimizer_class(history) == "RMSprop":
        added = float(np.sqrt(added))  # Keras adds it inside the square root
    elif not is_normalized(history):
        return None
    # With a setting about as the library makes it, the gradient is what is small.
    value = optimizer_setting(history, name, 0.0)
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
    share: Float
    shrinks: Bool
    vanished: Bool


def decay_effect(history: History) -> DecayEffect | None:
    """Returns what weight decay does; None if there is none, or the weights were not recorded."""
    value = optimizer_setting(history, "weight_decay", 0.0)
    recorded = history.has("weight_norm", "update_norm")
    if not value > 0 or not recorded or not trainable_kernels(history).any():
        return None
    learning_rate = latest_known(run_column(history, "learning_rate"))
    weight, update, first = _kernel_norms(history)
    # Keras subtracts learning rate * weight decay * weight, besides the gradient's update.
    decayed = np.where(np.isfinite(learning_rate), learning_rate, 0) * value * weight
    return DecayEffect(
        value=value,
        share=running_mean(decayed / np.maximum(update, 1e-30)),
        shrinks=(weight < 0.5 * first) | (learning_rate * value > 0.1),
        vanished=weight < 0.01 * first,
    )


@incremental
def _gradient_element(rows: History, carry: Carry) -> Float | None:
    """Returns `[T]` a typical element of the gradient, in the variable where it is largest; None if not known.

    Each element's update is shrunk by its own size.
    """
    norm = column(rows, "gradient_norm")
    if norm is None or not norm.size:
        return None
    element = np.where(trainable(rows), norm / root_sizes(rows), np.nan)
    return np.asarray(np.fmax.reduce(element, axis=1))


@incremental
def _kernel_norms(rows: History, carry: Carry) -> tuple[Float, Float, Float]:
    """Returns `[T]` the norm over all kernels: of the weights, of the update, and of the weights at first."""
    weight, update = column(rows, "weight_norm"), column(rows, "update_norm")
    assert weight is not None and update is not None
    kernels = trainable_kernels(rows)
    weight, update = select_columns(weight, kernels), select_columns(update, kernels)
    return _norm(weight), _norm(update), _norm(carry.first_known(weight))


def _norm(norms: Float) -> Float:
    """Returns `[T]` the norm over all kernels, whose own norms are `[T, K]`."""
    return np.asarray(np.sqrt(np.sum(np.where(np.isfinite(norms), norms, 0) ** 2, axis=1)))
