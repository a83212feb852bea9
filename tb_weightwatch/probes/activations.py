"""Activations of layers, and their replacement by ones that let a gradient through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from .program import Program

SLOPE, FULL_SLOPE = 0.1, 1.0  # least slopes of a replaced activation in the backward pass


def shortcut_layers(program: Program) -> list[Any]:
    """Returns the output layers whose activation the backward pass may not meet.

    Keras computes a cross-entropy from the input of an output sigmoid or softmax, whose slope then holds nothing back.
    """
    model = program.model
    loss = getattr(model, "loss", None) if program.kind == "fit" else "unknown, maybe a crossentropy"
    if model is None or "crossentropy" not in str(getattr(loss, "name", None) or getattr(loss, "__name__", loss)):
        return []
    names = set(getattr(model, "output_names", None) or [])
    return [layer for layer in model.layers if layer is model.layers[-1] or layer.name in names]


def activation_name(layer: Any) -> str:
    """Returns the name of the activation that a layer keeps as an attribute, or is; "" without one."""
    if type(layer).__name__ == "ReLU" and not getattr(layer, "negative_slope", 0):
        return "relu"
    activation = vars(layer).get("activation")
    return str(getattr(activation, "__name__", ""))


def replacement(layer: Any, slope: float = SLOPE) -> tuple[Any, str, Any]:
    """Returns what replaces a layer's activation, or the call of a ReLU layer: the same with at least this slope."""
    if type(layer).__name__ == "ReLU":
        return layer, "call", _leaky(layer.call, slope)
    return layer, "activation", _leaky(layer.activation, slope)


def _leaky(activation: Callable[[Any], Any], least_slope: float) -> Callable[[Any], Any]:
    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def leaky(z: Any) -> Any:
        with tf.GradientTape(persistent=True) as tape:  # a step may have several tapes (GANs)
            tape.watch(z)
            output = activation(z)

        def gradient(upstream: Any) -> Any:
            slope = tape.gradient(output, z)
            slope = tf.zeros_like(z) if slope is None else slope
            return upstream * tf.maximum(slope, tf.cast(least_slope, z.dtype))

        return output, gradient

    leaky.__name__ = getattr(activation, "__name__", "activation")
    return leaky  # type: ignore[no-any-return]
