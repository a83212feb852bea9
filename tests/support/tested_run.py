"""Experiments of a run whose learning rate is far too small: all outcomes, all ends, and a curve with all its marks."""

from __future__ import annotations

import math

from tb_weightwatch.diagnosis import with_experiments
from tb_weightwatch.history import Record
from tb_weightwatch.verdict import Diagnosis, Experiment, RateCurve, TestedCause
from tests.support.suspected_run import suspected

STEP = 96
WITH_RATE = "with a learning rate of 1e-3 the loss falls by 41 % in 12 steps; with the present 1e-10 it does not change"
WITH_LABELS = "permuting the labels of a batch changes its loss by 38 %"
CURVE = RateCurve(
    rates=(1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 3.162e-4, 1e-3, 3.162e-3, 1e-2, 0.1, 1.0),
    falls=(0.0, 0.0, 2e-6, 3e-5, 4e-4, 0.005, 0.06, 0.31, 0.41, 0.44, 0.12, -1e6, math.nan),
    present=1e-10,
    recommended=1e-3,
    low=3.162e-4,
    high=3.162e-3,
)
EXPERIMENTS = (
    Experiment(
        "learning-rate-sweep",
        WITH_RATE,
        (
            TestedCause("learning-rate-too-small", "confirmed", WITH_RATE),
            TestedCause("learning-rate-too-large", "refuted", WITH_RATE),
        ),
        step=STEP,
        steps=156,
        seconds=1.42,
        curve=CURVE,
    ),
    Experiment(
        "data-variants",
        WITH_LABELS,
        (
            TestedCause("no-learning-signal", "refuted", WITH_LABELS),
            TestedCause("unscaled-input", "open", "the inputs are standardized already"),
        ),
        step=STEP,
        steps=12,
        seconds=0.4,
    ),
    Experiment(
        "gradient-check",
        "all layers have a gradient, and too few were compared with finite differences",
        (TestedCause("vanishing-gradient", "open", "the gradient of conv2d/kernel is 1e-4 of that of dense/kernel"),),
        step=STEP,
        steps=6,
        seconds=0.3,
    ),
    Experiment(
        "optimizer-swap",
        "ResourceExhaustedError (out of memory) ended it; the state was restored",
        end="failed",
        step=STEP,
        steps=3,
        seconds=2.0,
    ),
    Experiment("leaky-activation", "the model has no ReLU", end="skipped", step=STEP),
    Experiment("unfreeze-and-apply", "it tests nothing that is suspected", end="skipped", step=STEP),
)


def diagnosis_with_experiments(steps: int = 96) -> Diagnosis:
    """Returns a diagnosis without a verdict, whose first suspect is confirmed, the second refuted, the third open."""
    return with_experiments(suspected(steps), EXPERIMENTS)


def experiment_records() -> list[Record]:
    """Returns the experiments as a training process records them."""
    return [Record(STEP, "experiment", experiment.as_dict()) for experiment in EXPERIMENTS]
