"""Sick runs and healthy runs that look sick, as columns that replace those of `synthetic_history`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .synthetic_history import VARIABLES


def _accumulated_updates(rows: int) -> dict[str, Any]:
    moves = (np.arange(rows) % 8 == 7)[:, None]
    size = np.sqrt([np.prod(v["shape"]) for v in VARIABLES])
    return {
        "update_norm": 0.003 * size * moves,
        "update_max": 0.003 * moves,
        "changed_share": 1.0 * moves,
        "stuck_share": 1.0 * ~moves,
    }


# Healthy runs that look broken.
DECOYS: dict[str, dict[str, Any]] = {
    "gradient accumulation in the optimizer": _accumulated_updates(120)
    | {"facts": {"optimizers": [{"class": "Adam", "name": "a", "config": {"gradient_accumulation_steps": 8}}]}},
    "gradient accumulation by hand": _accumulated_updates(120) | {"iterations": np.arange(1, 121) // 8},
    "warm-up from zero": {"learning_rate": np.linspace(0, 1e-3, 120)},
    "cosine to zero": {"learning_rate": 0.5e-3 * (1 + np.cos(np.linspace(0, np.pi, 120)))},
    "sparse relu": {"zero_share": 0.8, "dead_share": 0.3, "always_dead_share": 0.2},
    "large steps at first": {"update_norm": np.linspace(3, 0.01, 120)[:, None] * np.ones(4)},
    "sure of its answers": {
        "loss": 0.7 * np.exp(-np.linspace(0, 6, 120)),
        "saturated_share": np.linspace(0, 1, 120)[:, None],
        "layers": [{"name": "last", "kind": "Dense", "activation": "sigmoid"}],
        "facts": {
            "loss": {"name": "binary_crossentropy", "class": "", "from_logits": False},
            "output_layer": {"name": "last", "activation": "sigmoid", "units": 1},
        },
        "target_high": 1.0,
        "target_mean": 0.5,
    },
    "momentum moves while the gradient rests": {"gradient_norm": np.where(np.arange(120) % 20 >= 10, 0, 0.3)[:, None]},
    "loss scaling skips now and then": {
        "gradient_nonfinite": (np.arange(120) % 40 == 3)[:, None] * 5.0,
        "loss_scale": 32768.0,
    },
    "a frozen base": {"variables": [{**v, "trainable": v["layer"] == "last"} for v in VARIABLES]},
}

# Sick runs of 120 rows, by the rule that must come first.
SICK: dict[str, dict[str, Any]] = {
    "nonfinite-input": {
        "input_nonfinite": (np.arange(120) == 9) * 3.0,
        "loss": np.where(np.arange(120) < 9, 1.0, np.nan),
    },
    "no-gradient": {
        "gradient_none": 1.0,
        "gradient_norm": None,
        "gradient_max": None,
        "update_norm": 0.0,
        "gradient_nonfinite": None,
        "loss": 1.1,
    },
    "zero-gradient": {
        "gradient_norm": 0.0,
        "gradient_max": 0.0,
        "update_norm": 0.0,
        "loss": 1.1,
        "prediction_std": None,
    },
    "nonfinite-gradient": {"gradient_nonfinite": (np.arange(120) > 50)[:, None] * 7.0},
    "learning-rate-zero": {"learning_rate": 0.0, "update_norm": 0.0, "loss": 1.1},
    "learning-rate-too-small": {"learning_rate": 1e-10, "update_norm": 1e-10, "loss": 1.1},
    "updates-not-applied": {"iterations": 0, "update_norm": 0.0, "loss": 1.1},
    "frozen-weights": {"variables": [{**v, "trainable": False} for v in VARIABLES], "update_norm": 0.0},
    "dead-relu": {"dead_share": 1.0, "always_dead_share": 1.0, "zero_share": 1.0, "loss": 1.1},
    "label-problem": {"target_high": 5.0},
    "saturated-activation": {
        "layers": [{"name": "first", "kind": "Dense", "activation": "tanh"}],
        "saturated_share": 0.99,
        "loss": 1.1,
    },
    "learning-rate-too-large": {
        "learning_rate": 1.0,
        "update_norm": np.linspace(20, 1, 120)[:, None] * np.ones(4),
        "weight_norm": np.linspace(30, 200, 120)[:, None] * np.ones(4),
        "dead_share": 0.0,
        "loss": np.where(np.arange(120) < 1, 1.1, 300 * np.exp(-np.arange(120) / 8.0) + 1.2),
    },
    "update-below-precision": {
        "variables": [{**v, "dtype": "bfloat16"} for v in VARIABLES],
        "update_norm": 0.0,
        "stuck_share": 1.0,
        "loss": 1.1,
    },
    "unscaled-input": {
        "input_mean": 300.0,
        "input_std": 200.0,
        "input_scale_ratio": 1e4,
        "loss": 50 - np.arange(120) * 0.1,
    },
}
