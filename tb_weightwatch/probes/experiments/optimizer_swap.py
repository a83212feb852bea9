"""The optimizer swap."""

from __future__ import annotations

from typing import Any

import keras

from ...capture.observe import base_optimizers, clips
from ...verdict import TestedCause, number
from ..comparison import best, compared, fall_text, outcome_of
from ..experiment import Lab, Result, experiment
from ..program import copied
from ..trials import Trial
from ..updates import Substitute, present_rate

ADAM_RATES, SGD_RATES = (1e-3, 1e-2), (1e-2, 1e-1)
_CLIPPING = ("clipnorm", "global_clipnorm", "clipvalue")


@experiment(
    name="optimizer-swap",
    tests=("optimizer-misconfigured", "clipping-too-tight", "loss-scale-skipping"),
    steps=180,
    traces=4,
)
def optimizer_swap(lab: Lab) -> Result:
    """Trains a few steps with new optimizers in place of the present one: Adam, plain SGD, and its own class unclipped.

    What it does:
        It hands the gradients of the training to Adam with learning rates of 1e-3 and 1e-2, to plain SGD with 1e-2 and
        1e-1, to a copy of the optimizer without clipping, and to the inner optimizer of a LossScaleOptimizer, each
        time from the present state. The present optimizer is tried at all decades of its learning rate.

    What it confirms:
        A setting of the optimizer, if another optimizer learns and the present one does not at any of these rates. In
        place of SGD only plain SGD counts, since Adam learns from gradients of any size. A clipping that is too tight,
        if the same optimizer learns without it. Skipped steps, if the inner optimizer learns.

    What it refutes:
        Each of them, if the present optimizer learns as far as the others, or if no other one learns either.

    What it cannot tell:
        Which setting it is, and whether another optimizer would be better for a whole training.

    Confirming example:
        model = net(1)
        model.compile(optimizers.Adam(1e-3, epsilon=1e6), "mse")
        report = ww.probe(model, x, number, experiments=["optimizer-swap"])

    Refuting example:
        model = net(1)
        model.compile(optimizers.Adam(3e-3), "mse")
        report = ww.probe(model, x, number, experiments=["optimizer-swap"])
    """
    control, run = lab.control, lab.trials.run
    adam, sgd = (
        Substitute(lab.program, keras.optimizers.Adam(1e-3, name="probe_adam")),
        Substitute(lab.program, keras.optimizers.SGD(0.1, name="probe_sgd")),
    )
    by_adam = {f"Adam({number(rate)})": run(adam.at(rate)) for rate in ADAM_RATES}
    by_sgd = {f"SGD({number(rate)})": run(sgd.at(rate)) for rate in SGD_RATES}
    own = best([control, *lab.rate_trials.values()])
    # Adam learns from gradients of any size, so that it says nothing of the settings of SGD.
    is_sgd = all(isinstance(base, keras.optimizers.SGD) for base in _bases(lab))
    comparable = by_sgd if is_sgd else by_adam | by_sgd
    message = _message(comparable, control, own)
    causes = [TestedCause("optimizer-misconfigured", outcome_of(own, best(list(comparable.values()))), message)]
    causes += _without_clipping(lab) + _without_loss_scale(lab)
    return Result(_message(by_adam | by_sgd, control, own), tuple(causes))


def _message(swapped: dict[str, Trial], control: Trial, own: Trial) -> str:
    name, other = max(swapped.items(), key=lambda item: item[1].fall)
    at_best = "" if own is control else f" ({fall_text(own.fall)} at its best rate)"
    return (
        f"with {name} the loss {fall_text(other.fall)} in {other.steps} steps; with the present optimizer it "
        f"{fall_text(control.fall)}{at_best}"
    )


def _bases(lab: Lab) -> list[Any]:
    return [base for optimizer in lab.program.optimizers for base in base_optimizers(optimizer)]


def _without_clipping(lab: Lab) -> list[TestedCause]:
    if len(lab.program.optimizers) != 1 or not any(clips(base) for base in _bases(lab)):
        return []
    base, rate = _bases(lab)[0], present_rate(lab.program)
    if rate is None:
        return []
    unclipped = copied(base, learning_rate=rate, **dict.fromkeys(_CLIPPING))
    trial = lab.trials.run(Substitute(lab.program, unclipped))
    return [compared("clipping-too-tight", lab.control, trial, "the same optimizer without clipping")]


def _without_loss_scale(lab: Lab) -> list[TestedCause]:
    scaling = [o for o in lab.program.optimizers if getattr(o, "inner_optimizer", None) is not None]
    rate = present_rate(lab.program)
    if len(scaling) != 1 or len(lab.program.optimizers) != 1 or rate is None:
        return []
    inner = copied(scaling[0].inner_optimizer, learning_rate=rate)
    trial = lab.trials.run(Substitute(lab.program, inner))
    return [compared("loss-scale-skipping", lab.control, trial, "the inner optimizer, without loss scaling,")]
