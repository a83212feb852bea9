"""A diagnosis without a verdict: one symptom, three suspects."""

from __future__ import annotations

from tb_weightwatch.diagnosis import catalogue
from tb_weightwatch.verdict import Diagnosis, Suspect, Symptom

MESSAGE = "The weights have not moved since step 24: 6 of 6 trainable variables hold the values that they had then"


def suspected(steps: int = 96) -> Diagnosis:
    """Returns the diagnosis of a run whose weights do not move for a reason that no rule found."""
    symptom = Symptom("weights-do-not-move", "weight", "error", MESSAGE, (), 24, steps)
    suspects = (_learning_rate(), _data(), _gradient())
    passed = tuple(name for name in catalogue() if name not in {suspect.name for suspect in suspects})
    return Diagnosis(
        "sick", f"{MESSAGE}.", symptoms=(symptom,), suspects=suspects, passed=passed, step=steps, rows=steps
    )


def _learning_rate() -> Suspect:
    return Suspect(
        code=502,
        name="learning-rate-too-small",
        link="optimizer",
        probability=0.62,
        message="A learning rate of 1e-10 is too small to move float32 weights",
        supports=(
            "the update ratio is 8.1e-11, and 1e-3 is usual",
            "gradients are not zero: their median norm is 0.012",
            "Adam's default learning rate is 1e-3",
        ),
        contradicts=("the first 24 steps moved the weights at the same learning rate",),
        settle="Train 50 steps with a learning rate of 1e-3: if the weights move, it was the learning rate",
        fix=(
            "Set a learning rate between 1e-4 and 1e-2:\n\n"
            '    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")'
        ),
    )


def _data() -> Suspect:
    return Suspect(
        code=106,
        name="no-learning-signal",
        link="data",
        probability=0.21,
        message="The inputs may hold nothing from which the targets can be predicted",
        supports=("the loss stays at that of a constant prediction",),
        contradicts=("inputs differ from batch to batch", "an earlier launch on the same data learned"),
        settle="Train on 8 samples: a model that learns even these by heart has a learning signal",
        fix=(
            "Check that x[i] belongs to y[i], and shuffle both together:\n\n"
            "    p = np.random.permutation(len(x))\n    x, y = x[p], y[p]"
        ),
    )


def _gradient() -> Suspect:
    return Suspect(
        code=403,
        name="vanishing-gradient",
        link="gradient",
        probability=0.08,
        message="The gradient may vanish on its way to the first layers",
        supports=("the gradient of conv2d/kernel is the smallest one",),
        contradicts=(),
        settle="Call ww.preflight(model, x, y), which measures the gradient of each layer",
        fix="Use ReLU activations and He initialization.",
    )
