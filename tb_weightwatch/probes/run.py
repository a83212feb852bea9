"""`ww.probe`: settles by short experiments what a recording can only suspect."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import tensorflow as tf

from ..capture.observe import meaning_of
from ..diagnosis import with_experiments
from ..verdict import Diagnosis, Experiment
from .batches import batches_of, samples_of
from .budget import BudgetSpent, Spending, terminal
from .experiment import ExperimentKind, Lab, catalogue
from .order import ordered, suspected
from .program import CannotRun, Program
from .report import ProbeReport
from .training_programs import opened_program
from .trials import Trials

_log = logging.getLogger(__name__)
MOST_PARAMETERS = 20_000_000  # a larger model is not experimented on: each trial holds copies of its state


def probe(  # noqa: PLR0913
    model: Any = None,
    x: Any = None,
    y: Any = None,
    *,
    loss: Any = None,
    optimizer: Any = None,
    diagnosis: Diagnosis | None = None,
    step_fn: Callable[..., Any] | None = None,
    variables: Sequence[Any] | None = None,
    batches: Iterable[Any] | None = None,
    experiments: Sequence[str] | None = None,
    budget: float = 30.0,
    steps: int = 300,
    batch_size: int = 32,
    verbose: bool = True,
) -> ProbeReport:
    """Runs short experiments from the present state of a training, and puts everything back bit for bit.

    Afterwards weights, slots and counters of optimizers, statistics, seeds, metrics and `trainable` flags are as they
    were, also after an exception or Ctrl-C (operations of `tf.random` in your own layers advance their generator). An
    optimizer that has not been used yet stays so; one of a loop is built.

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
        batches: of `step_fn`: a few are taken.
        experiments: names of the experiments to run, instead of those that `diagnosis` asks for.
        budget: seconds that all experiments may take together.
        steps: training steps that they may make together.
        batch_size: of the batches that are made of arrays.
        verbose: shows a progress bar if standard error is a terminal.

    Returns:
        The experiments with their outcomes, and the diagnosis with its suspects ranked anew.

    Raises:
        TypeError: `model` is no Keras model.
        ValueError: the model is not built, there are no batches, an experiment does not exist, or something is missing.
        KeyboardInterrupt: is passed on after the state is restored, if there is no experiment that could report it.
    """
    kinds = _chosen(experiments)
    spending = Spending(_positive("budget", budget), int(_positive("steps", steps)), terminal() if verbose else None)
    taken = batches_of(x, y, batches, batch_size)
    with opened_program(model, loss, optimizer, step_fn, variables) as program:
        lab = Lab(program, Trials(program, taken, program.saved_state(), spending), samples_of(x, y, taken))
        chosen = kinds if experiments is not None else ordered(kinds, suspected(diagnosis), spending.steps_left)
        results = run_experiments(lab, kinds, chosen, 0 if diagnosis is None else diagnosis.step)
    known = None if diagnosis is None else with_experiments(diagnosis, results)
    return ProbeReport(tuple(results), known, spending.steps, round(spending.seconds, 3))


def _positive(name: str, value: float) -> float:
    if not value > 0:
        raise ValueError(f"{name} must be positive, got {value!r}")
    return value


def _chosen(names: Sequence[str] | None) -> list[ExperimentKind]:
    known: Mapping[str, ExperimentKind] = catalogue()
    for name in names or ():
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
            raise ValueError(f"there is no experiment {name!r}; {hint}")
    return [known[name] for name in (known if names is None else names)]


def run_experiments(
    lab: Lab, kinds: Sequence[ExperimentKind], chosen: Sequence[ExperimentKind], step: int
) -> list[Experiment]:
    """Runs the chosen experiments in their order; the other kinds are reported as skipped.

    Args:
        lab: what they work with.
        kinds: all that are reported.
        chosen: those that are run.
        step: completed training steps.
    """
    reason = _not_at_all(lab.program)
    if reason:
        return [Experiment(kind.name, reason, end="skipped", step=step) for kind in kinds]
    results: list[Experiment] = []
    try:
        # What Keras warns of in a changed program is no news of the user's own.
        with lab.state.restored(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for kind in chosen:
                results.append(experiment_on(lab, kind, step))
                if results[-1].end == "interrupted":
                    break
    finally:
        lab.trials.spending.end()
    rest = [kind for kind in kinds if kind.name not in {result.name for result in results}]
    return results + [Experiment(kind.name, _why_not(kind, chosen), end="skipped", step=step) for kind in rest]


def _why_not(kind: ExperimentKind, chosen: Sequence[ExperimentKind]) -> str:
    if kind in chosen:
        return "an earlier experiment was interrupted"
    return "no suspected cause to test"


def _not_at_all(program: Program) -> str:
    """Returns why no experiment can run; "" if they can."""
    strategy = getattr(program.model, "distribute_strategy", None) or tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync > 1:
        return f"experiments do not run on several replicas ({type(strategy).__name__})"
    parameters = sum(int(np.prod(variable.shape)) for variable in program.variables)
    if parameters > MOST_PARAMETERS:
        return f"the model has {parameters:,} parameters; experiments run with up to {MOST_PARAMETERS:,}"
    return ""


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
            shown = kind.check(lab)
        return result(shown.message, causes=shown.causes, curve=shown.curve)
    except (CannotRun, BudgetSpent) as reason:
        return result(str(reason), "skipped")
    except KeyboardInterrupt:
        return result("interrupted by the user; the state was restored", "interrupted")
    except Exception as error:
        _log.debug("experiment %s failed", kind.name, exc_info=True)
        return result(_failure(error), "failed")


def _failure(error: Exception) -> str:
    """Returns what is said of an exception: its type and meaning, without values, paths and code."""
    meaning = meaning_of(error)
    known = f" ({meaning.replace('-', ' ')})" if meaning != "other" else ""
    return f"{type(error).__name__}{known} ended it; the state was restored"
