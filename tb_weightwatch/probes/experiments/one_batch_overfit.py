"""The one-batch overfit."""

from __future__ import annotations

import keras

from ...verdict import Outcome, TestedCause
from ..comparison import best, fall_text, falls
from ..experiment import Lab, Result, experiment
from ..trials import Trial
from ..updates import Substitute, Update

STEPS = 30
LEARNED = 0.5  # fall of the loss from which the model can learn a batch


@experiment(
    name="one-batch-overfit",
    tests=("no-learning-signal", "loss-disconnected", "vanishing-gradient"),
    steps=3 * STEPS,
    traces=2,
)
def one_batch_overfit(lab: Lab) -> Result:
    """Trains on a single batch, again and again: as the program does, and with Adam.

    What it does:
        It makes 30 steps on one batch, from the present state, by the program as it is and with Adam at 1e-3 and 1e-2
        in place of its optimizer.

    What it confirms:
        Nothing by itself: it separates faults of the optimization from faults of the data.

    What it refutes:
        A loss that does not depend on the predictions, and vanishing gradients, if the loss of the batch falls by
        half. Labels that do not belong to their inputs, if not even a single batch can be learned: then the
        optimization is at fault, not the data.

    What it cannot tell:
        Whether the model generalizes. A batch with two equal inputs of different labels cannot be learned by any model.

    Confirming example:
        model = net(1)
        model.compile(optimizers.SGD(1e-9), "mse")
        report = ww.probe(model, x, number, experiments=["one-batch-overfit"])

    Refuting example:
        model = net(1)
        model.compile(optimizers.Adam(3e-3), "mse")
        report = ww.probe(model, x, number, experiments=["one-batch-overfit"])
    """
    own = _overfit(lab, lab.program.step)
    adam = Substitute(lab.program, keras.optimizers.Adam(1e-3, name="probe_adam"))
    by_adam = own if own.fall > LEARNED else best([_overfit(lab, adam.at(rate)) for rate in (1e-3, 1e-2)])
    furthest = best([own, by_adam])
    message = f"on a single batch the loss {falls(own)} in {own.steps} steps"
    if by_adam is not own:
        message += f"; with Adam it {fall_text(by_adam.fall)}"
    learned: Outcome = "refuted" if furthest.fall > LEARNED else "open"
    causes = [TestedCause("loss-disconnected", learned, message)]
    causes.append(TestedCause("vanishing-gradient", "refuted" if own.fall > LEARNED else "open", message))
    stuck: Outcome = "refuted" if furthest.fall < 0.02 else "open"
    causes.append(TestedCause("no-learning-signal", stuck, message))
    return Result(message, tuple(causes))


def _overfit(lab: Lab, update: Update) -> Trial:
    return lab.trials.run(update, batches=lab.batches[:1], passes=STEPS)
