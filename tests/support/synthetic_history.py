"""Histories made of plain arrays: a healthy run by default; arguments replace columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from tb_weightwatch.history import Column, History, Record, Rows
from tb_weightwatch.statistics import QUANTITIES

VARIABLES = (
    {"name": "first/kernel", "shape": [20, 16], "layer": "first"},
    {"name": "first/bias", "shape": [16], "layer": "first"},
    {"name": "last/kernel", "shape": [16, 3], "layer": "last"},
    {"name": "last/bias", "shape": [3], "layer": "last"},
)
LAYERS = ({"name": "first", "kind": "Dense", "activation": "relu"},)
FACTS: dict[str, Any] = {
    "recorder": {"kind": "fit"},
    "gradients": "used",
    "model": {
        "name": "model",
        "class": "Sequential",
        "parameters": 387,
        "layers": [
            {"name": "first", "class": "Dense", "activation": "relu", "trainable": True, "weights": 2},
            {"name": "last", "class": "Dense", "activation": "softmax", "trainable": True, "weights": 2},
        ],
    },
    "optimizers": [{"class": "Adam", "name": "adam", "config": {"learning_rate": 0.001, "epsilon": 1e-7}}],
    "loss": {"name": "sparse_categorical_crossentropy", "class": "", "from_logits": False},
    "output_layer": {"name": "last", "activation": "softmax", "units": 3},
    "target_shape": [32],
    "prediction_shape": [32, 3],
}


def synthetic_history(
    rows: int = 120,
    *,
    variables: Any = VARIABLES,
    layers: Any = LAYERS,
    facts: dict[str, Any] | None = None,
    first: int = 1,
    steps: Any = None,
    **columns: Any,
) -> History:
    """Returns a History of a healthy run.

    Args:
        rows: number of rows.
        variables: descriptions of the variables.
        layers: descriptions of the layers.
        facts: replace some of `FACTS`.
        first: first step.
        steps: all steps, instead of consecutive ones.
        **columns: replace columns: a number, an array, or None (not recorded).
    """
    steps = np.arange(first, first + rows) if steps is None else np.asarray(steps)
    block = Rows(np.asarray(steps, np.int64), np.asarray(steps, np.float64))
    shapes = {"variable": (rows, len(variables)), "layer": (rows, len(layers)), "run": (rows,)}
    for name, value in (_healthy_columns(steps, variables) | columns).items():
        if value is not None:
            axis = QUANTITIES[name].axis
            values = np.broadcast_to(np.asarray(value, np.float64), shapes[axis]).copy()
            getattr(block, axis)[name] = Column(values, np.ones(values.shape, bool))
    history = History("synthetic")
    described = [{"dtype": "float32", "trainable": True, "optimized": True, **v} for v in variables]
    history.add(Record(0, "variables", {"items": described}))
    history.add(Record(0, "layers", {"items": list(layers)}))
    history.add(Record(0, "facts", {**FACTS, **(facts or {})}))
    if rows:
        history.append(block)
    return history


def _healthy_columns(steps: np.ndarray, variables: Any) -> dict[str, Any]:
    rng, rows = np.random.default_rng(5), len(steps)
    sizes = [int(np.prod(v["shape"])) for v in variables]
    noise = rng.uniform(0.9, 1.1, (rows, len(variables)))
    progress = np.linspace(0, 1, rows)
    return {
        "gradient_norm": 0.3 * noise,
        "gradient_max": 0.05 * noise,
        "gradient_zero_share": 0.0,
        "gradient_nonfinite": 0,
        "gradient_none": 0,
        "gradient_cosine": 0.3,
        "raw_gradient_norm": 0.3 * noise,
        "weight_std": 0.2,
        "weight_norm": np.sqrt(sizes) * 0.2,
        "weight_max": 0.5 + 0.05 * np.arange(len(variables)),
        "weight_nonfinite": 0,
        "update_norm": 0.001 * np.sqrt(sizes) * noise,
        "update_max": 0.001,
        "changed_share": 1.0,
        "stuck_share": 0.0,
        "zero_share": 0.5,
        "dead_share": 0.05,
        "always_dead_share": 0.0,
        "saturated_share": 0.5,
        "blocked_share": 0.5,
        "output_nonfinite": 0,
        "output_mean": 0.4,
        "output_std": 0.5,
        "output_max": 3.0,
        "prediction_mean": 1 / 3,
        "prediction_std": 0.3,
        "input_constant_share": 0.0,
        "loss": 1.1 * np.exp(-1.5 * progress) + 0.02 * rng.normal(size=rows),
        "learning_rate": 0.001,
        "iterations": steps,
        "input_mean": 0.0,
        "input_std": 1.0,
        "input_max": 3.0,
        "input_scale_ratio": 1.2,
        "input_nonfinite": 0,
        "target_mean": 1.0,
        "target_std": 0.8,
        "target_low": 0.0,
        "target_high": 2.0,
        "target_fraction_share": 0.0,
        "target_nonfinite": 0,
        "batch_size": 32,
    }
