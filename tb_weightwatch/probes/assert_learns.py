"""`ww.assert_learns`: a check for a test suite of one's own, whose error reads like a diagnosis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..capture.arguments import positive, positive_integer
from ..capture.preflight import preflight
from ..diagnosis import catalogue as rules
from ..verdict import Experiment
from .batches import batches_of, samples_of
from .budget import BudgetSpent, Spending
from .comparison import falls
from .experiment import Lab, catalogue
from .experiments.one_batch_overfit import LEARNED
from .program import CannotRun
from .run import experiment_on, run_experiments
from .session import opened_lab
from .training_programs import opened_program
from .trials import Trial

if TYPE_CHECKING:
    import keras

    from ..capture.arguments.types import Batch, Data, Loss, Optimizer

_ROUNDS = (20, 60, 200)  # steps on the batch; a longer round begins anew
_EXPLAINING = ("learning-rate-sweep", "leaky-activation", "optimizer-swap", "unfreeze-and-apply")


def assert_learns(  # noqa: PLR0913
    model: keras.Model,
    x: Data,
    y: Batch | None = None,
    *,
    loss: Loss | None = None,
    optimizer: Optimizer | None = None,
    budget: float = 60.0,
    steps: int = 1000,
    batch_size: int = 32,
) -> None:
    """Checks that a model can learn, before hours are spent on it: for use in a test suite.

    It runs `ww.preflight`, compares the gradient with finite differences, and trains on a single batch until its loss
    has fallen by half, for up to 200 steps. The state of the training is restored.

        def test_the_model_learns():
            ww.assert_learns(make_model(), x[:256], y[:256])

    Args:
        model: a built Keras model, compiled unless `loss` and `optimizer` are given.
        x: inputs as `model.fit` takes them, or a `tf.data.Dataset` of (x, y) batches.
        y: targets; None if `x` is a dataset.
        loss: as in `model.compile`, for a model that is trained by hand.
        optimizer: the optimizer of the hand-written loop.
        budget: seconds that the experiments may take.
        steps: training steps that they may make.
        batch_size: of the batch that is learned, if `x` is made of arrays.

    Raises:
        AssertionError: it does not learn; the message says what was seen, the cause if an experiment confirms one, and
            the fix.
        RuntimeError: it could not be checked; the message says why.
        TypeError, ValueError: as for `ww.probe`.
    """
    spending = Spending(positive("budget", budget), positive_integer("steps", steps))
    diagnosis = preflight(model, x, y, loss=loss, optimizer=optimizer)
    if diagnosis.status == "sick":
        raise AssertionError(f"The model cannot learn. {diagnosis}")
    taken = batches_of(x, y, None, batch_size)
    try:
        with (
            opened_program(model, loss, optimizer) as program,
            opened_lab(program, taken, samples_of(x, y, None), spending) as lab,
        ):
            failure = _failure(lab)
    except CannotRun as reason:
        raise RuntimeError(f"whether the model learns could not be checked: {reason}") from reason
    if failure:
        raise AssertionError(failure)


def _failure(lab: Lab) -> str:
    """Returns why the model does not learn; "" if it does."""
    check = experiment_on(lab, catalogue()["gradient-check"])
    if check.outcome == "confirmed":
        return "\n".join([f"The gradient is not that of the loss: {check.message}.", *_confirmed([check])])
    trial = _overfit(lab)
    if trial.fall > LEARNED:
        return ""
    kinds = [catalogue()[name] for name in _EXPLAINING]
    explaining = run_experiments(lab, kinds, 0)
    sentence = f"The model does not learn a single batch: in {trial.steps} steps its loss {falls(trial)}"
    return "\n".join([f"{sentence} (by half is expected).", *(_confirmed(explaining) or _seen(explaining))])


def _overfit(lab: Lab) -> Trial:
    """Trains on one batch in rounds that become longer, until its loss has fallen by half."""
    trial: Trial | None = None
    for passes in _ROUNDS:
        try:
            trial = lab.trials.run(lab.program.step, batches=lab.batches[:1], passes=passes)
        except (BudgetSpent, CannotRun) as reason:
            if trial is None:
                raise RuntimeError(f"whether the model learns could not be checked: {reason}") from reason
        if trial is not None and trial.fall > LEARNED:
            break
    assert trial is not None
    return trial


def _confirmed(experiments: list[Experiment]) -> list[str]:
    """Returns a line for each confirmed cause, and one for its fix."""
    lines = []
    for cause in (cause for e in experiments for cause in e.causes if cause.outcome == "confirmed"):
        rule = rules()[cause.name]
        lines += [f"  confirmed by an experiment: {rule.code} {cause.name}: {cause.message}", f"  fix: {rule.advice}"]
    return lines


def _seen(experiments: list[Experiment]) -> list[str]:
    return [f"  {experiment}" for experiment in experiments if experiment.end == "completed"]
