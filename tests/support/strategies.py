"""Hypothesis strategies: any History, with random columns, some not recorded, and variables of any shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tb_weightwatch.history import Column, History, Record, Rows
from tb_weightwatch.statistics import QUANTITIES

NUMBERS = (0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 1e-30, 1e30, 0.5, 1e-3, 100.0)
ACTIVATIONS = ("relu", "sigmoid", "tanh", "")
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "recorder": st.just({"kind": "loop"}),
        "optimizers": st.lists(
            st.fixed_dictionaries(
                {
                    "class": st.sampled_from(["SGD", "Adam", "RMSprop", "Odd"]),
                    "config": st.sampled_from([{}, {"weight_decay": 0.5}, {"epsilon": 1.0, "momentum": 0.9}]),
                }
            ),
            max_size=2,
        ),
        "loss": st.just({"name": "mean_squared_error"}),
        "output_layer": st.fixed_dictionaries(
            {
                "name": st.just("b"),
                "activation": st.sampled_from(["sigmoid", "softmax", "relu", None]),
                "units": st.sampled_from([1, 3, None]),
            }
        ),
        "model": st.just({"layers": [{"name": "a", "class": "Dense", "weights": 2}]}),
        "target_shape": st.sampled_from([[4], [4, 3], [], None]),
        "prediction_shape": st.sampled_from([[4, 3], [4, 1], None]),
    },
)


def variable(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Draws the description of a variable."""
    return {
        "name": name,
        "shape": draw(st.lists(st.integers(0, 3), max_size=3)),
        "dtype": draw(st.sampled_from(["float32", "bfloat16", "float16", "float64", "int32"])),
        "layer": draw(st.sampled_from(["a", "b", ""])),
        "trainable": draw(st.booleans()),
        "optimized": draw(st.sampled_from([True, False, None])),
    }


@st.composite
def histories(draw: st.DrawFn, most: int = 25, wide: int = 4) -> History:
    """Draws a History of up to `most` rows and `wide` variables."""
    rows, width, depth = draw(st.integers(0, most)), draw(st.integers(0, wide)), draw(st.integers(0, 2))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    values = np.array(draw(st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=5)))
    history = History("any")
    history.add(Record(0, "variables", {"items": [variable(draw, f"v{i}") for i in range(width)]}))
    layers = [{"name": f"l{i}", "kind": "Dense", "activation": draw(st.sampled_from(ACTIVATIONS))}
              for i in range(depth)]  # fmt: skip
    history.add(Record(0, "layers", {"items": layers}))
    history.add(Record(0, "facts", draw(FACTS)))
    if rows:
        block = Rows(np.cumsum(rng.integers(1, 5, rows)), np.arange(rows, dtype=float))
        shapes = {"variable": (rows, width), "layer": (rows, depth), "run": (rows,)}
        for name in draw(st.sets(st.sampled_from(sorted(QUANTITIES)))):
            axis = QUANTITIES[name].axis
            known = rng.random(shapes[axis]) < draw(st.sampled_from([0.0, 0.7, 1.0]))
            if draw(st.booleans()):  # recorded only from some row on
                known[: draw(st.integers(0, rows))] = False
            getattr(block, axis)[name] = Column(rng.choice(values, shapes[axis]), known)
        history.append(block)
    return history
