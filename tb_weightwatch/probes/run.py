"""`ww.probe`: settles by short experiments what a recording can only suspect."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..capture.arguments import positive, positive_integer
from ..diagnosis import with_experiments
from ..verdict import Diagnosis, Experiment
from .arguments import check_probe, chosen_kinds
from .batches import batches_of, samples_of
from .budget import BudgetSpent, Spending, terminal
from .experiment import ExperimentKind, Lab
from .order import ordered, suspected
from .program import CannotRun
from .report import ProbeReport
from .session import exception_text, opened_lab, why_not
from .training_programs import opened_program

if TYPE_CHECKING:
    import keras

    from ..capture.arguments.types import Batch, Data, Loss, LossValue, Optimizer, Variable

_log = logging.getLogger(__name__)


def probe(  # noqa: PLR0913
    model: keras.Model | None = None,
    x: Data | None = None,
    y: Batch | None = None,
    *,
    loss: Loss | None = None,
    optimizer: Optimizer | Sequence[Optimizer] | None = None,
    diagnosis: Diagnosis | None = None,
    step_fn: Callable[..., LossValue] | None = None,
    variables: Sequence[Variable] | None = None,
    batches: Iterable[Batch] | None = None,
    experiments: Sequence[str] | None = None,
    budget: float = 30.0,
    steps: int = 300,
    batch_size: int = 32,
    verbose: bool = True,
) -> ProbeReport:
    """Runs short experiments from the present state of a training, and puts everything back bit for bit.

    Afterwards all TensorFlow variables of the process, `trainable` flags and the random generators of Python and NumPy
    are as they were, also after an exception. Ctrl-C ends the experiment that runs, and the report says so. Operations
    of `tf.random` advance their generator. An optimizer that has not been used yet stays so; one of a loop is built.

        report = ww.probe(model, x, y, diagnosis=watch.diagnosis)      # a compiled model
        report = ww.probe(model, x, y, loss="mse", optimizer=adam)     # a model that is trained by hand
        report = ww.probe(step_fn=step, variables=model.trainable_variables, optimizer=adam, batches=batches)

    Args:
        model: a built Keras model.
        x: inputs as `model.fit` takes them, or a `tf.data.Dataset` of (x, y) batches.
        y: targets; None if `x` is a dataset.
        loss: as in `model.compile`, for a model that is trained by hand; None: as compiled.
        optimizer: the optimizer of the hand-written loop, or a list of them; None: as compiled.
        diagnosis: says what is suspected, and so which experiments run; None runs all that the budget allows.
        step_fn: makes one training step, `step_fn(*batch)`, and returns its loss.
        variables: what `step_fn` trains; None: the trainable variables of `model`.
        batches: a list or dataset of batches, of which a few are taken, as `step_fn` (or `train_step`) takes them.
        experiments: names of the experiments to run, instead of those that `diagnosis` asks for.
        budget: seconds that all experiments may take together; it is checked before each step.
        steps: training steps that they may make together.
        batch_size: of the batches that are made of arrays.
        verbose: shows a progress bar if standard error is a terminal.

    Returns:
        The experiments with their outcomes, and the diagnosis with its suspects ranked anew.

    Raises:
        TypeError: `model` is no Keras model, or another argument has a wrong type.
        ValueError: the model is not built, there are no batches, an experiment does not exist, or something is missing.
    """
    check_probe(diagnosis, step_fn, loss, optimizer)
    kinds = chosen_kinds(experiments)
    spending = Spending(positive("budget", budget), positive_integer("steps", steps), terminal() if verbose else None)
    taken = batches_of(x, y, batches, batch_size)
    step = 0 if diagnosis is None else diagnosis.step
    chosen = kinds if experiments is not None else ordered(kinds, suspected(diagnosis), spending.steps_left)
    try:
        with (
            opened_program(model, loss, optimizer, step_fn, variables) as program,
            opened_lab(program, taken, samples_of(x, y, batches), spending) as lab,
        ):
            results = run_experiments(lab, chosen, step)
    except CannotRun as reason:
        results = [Experiment(kind.name, str(reason), end="skipped", step=step) for kind in chosen]
    finally:
        spending.end()
    rest = [kind for kind in kinds if kind.name not in {result.name for result in results}]
    results += [Experiment(kind.name, _why_skipped(kind, chosen), end="skipped", step=step) for kind in rest]
    known = None if diagnosis is None else with_experiments(diagnosis, results)
    return ProbeReport(tuple(results), known, spending.steps, round(spending.seconds, 3))


def run_experiments(lab: Lab, chosen: Sequence[ExperimentKind], step: int) -> list[Experiment]:
    """Runs experiments in their order, until the user interrupts one.

    Args:
        lab: what they work with.
        chosen: the experiments.
        step: completed training steps.
    """
    results: list[Experiment] = []
    for kind in chosen:
        results.append(experiment_on(lab, kind, step))
        if results[-1].end == "interrupted":
            break
    return results


def _why_skipped(kind: ExperimentKind, chosen: Sequence[ExperimentKind]) -> str:
    return "an earlier experiment was interrupted" if kind in chosen else "no suspected cause to test"


def experiment_on(lab: Lab, kind: ExperimentKind, step: int = 0) -> Experiment:
    """Runs one experiment and restores the state, however it ends."""
    spending = lab.trials.spending
    began, steps = time.perf_counter(), spending.steps
    spending.begin(kind.name)

    def result(message: str, end: Any = "completed", causes: Any = (), curve: Any = None) -> Experiment:
        seconds = round(time.perf_counter() - began, 3)
        return Experiment(kind.name, message, tuple(causes), end, step, spending.steps - steps, seconds, curve)

    try:
        with lab.state.restored():
            reason = why_not(kind, lab)
            if reason:
                return result(reason, "skipped")
            shown = kind.check(lab)
        return result(shown.message, causes=shown.causes, curve=shown.curve)
    except (CannotRun, BudgetSpent) as fault:
        return result(str(fault), "skipped")
    except KeyboardInterrupt:
        return result("interrupted by the user; the state was restored", "interrupted")
    except Exception as error:
        _log.debug("experiment %s failed", kind.name, exc_info=True)
        return result(f"{exception_text(error)} ended it; the state was restored", "failed")
