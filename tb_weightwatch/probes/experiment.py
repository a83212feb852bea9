"""The definition of an experiment, and the catalogue of all experiments in the folder `experiments`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

from ..diagnosis import section
from ..verdict import RateCurve, TestedCause
from .new_weights import initializer
from .program import Batch, Program
from .rate_sweep import sweep
from .state import SavedState
from .trials import Trial, Trials
from .updates import Update, present_rate, rate_updates

_REPEATABLE = 1e-6  # relative difference of two losses of the same batch and state that rounding explains
HEADINGS = (
    "What it does", "What it confirms", "What it refutes", "What it cannot tell", "Confirming example",
    "Refuting example",
)  # fmt: skip


class Result(NamedTuple):
    """What an experiment returns.

    Attributes:
        message: what was seen, in one sentence with the numbers, without a full stop.
        causes: what that says of the causes that it tests.
        curve: the learning rates that were tried.
    """

    message: str
    causes: tuple[TestedCause, ...] = ()
    curve: RateCurve | None = None


def telling(causes: Sequence[TestedCause], otherwise: str) -> Result:
    """Returns the result whose message is that of the first confirmed cause, or else another one."""
    confirmed = next((cause.message for cause in causes if cause.outcome == "confirmed"), otherwise)
    return Result(confirmed, tuple(causes))


class Lab:
    """What an experiment works with.

    Attributes:
        program: the training step under test.
        trials: runs short trainings.
        samples: inputs and labels `[N, ...]` of the training data; None if they are no arrays.
    """

    def __init__(self, program: Program, trials: Trials, samples: tuple[Any, Any] | None) -> None:
        self.program, self.trials, self.samples = program, trials, samples

    @property
    def state(self) -> SavedState:
        """The state that every trial starts from."""
        return self.trials.state

    @property
    def batches(self) -> list[Batch]:
        """The batches of every trial."""
        return self.trials.batches

    @cached_property
    def control(self) -> Trial:
        """A short training by the program as it is."""
        return self.trials.run(self.program.step)

    @cached_property
    def at_rate(self) -> Callable[[float], Update]:
        """Returns the program's own update at another learning rate; see `rate_updates`."""
        return rate_updates(self.program)

    @cached_property
    def rate_trials(self) -> dict[float, Trial]:
        """Learning rate -> a short training with it, by decades around the present one; {} if it is not known."""
        present = present_rate(self.program)
        return {} if present is None else sweep(lambda rate: self.trials.run(self.at_rate(rate)), present)

    @cached_property
    def new_weights(self) -> Callable[[], None] | None:
        """Gives the model new initial weights and its optimizer new slots.

        None where the model has not been trained, or cannot be made anew from its configuration.
        """
        return initializer(self.program)

    @cached_property
    def is_repeatable(self) -> bool:
        """Whether the loss of a batch is the same at each call, from the same state."""
        first, second = self.trials.losses([self.batches[0]] * 2)
        return not abs(first - second) > _REPEATABLE * max(abs(first), 1e-12)


@dataclass(frozen=True)
class ExperimentKind:
    """An experiment of the catalogue.

    Attributes:
        name: in kebab case.
        tests: names of the causes that it can confirm or refute.
        steps: about how many steps it makes.
        traces: about how many functions it has TensorFlow trace, which takes about a second each.
        check: runs it.
        compares_losses: whether it needs one loss that the optimizer minimizes, and that is the same at each call.
    """

    name: str
    tests: tuple[str, ...]
    steps: int
    traces: int
    check: Callable[[Lab], Result]
    compares_losses: bool = True

    @property
    def doc(self) -> str:
        """The explanation, under the headings of `HEADINGS`."""
        return inspect.getdoc(self.check) or ""

    @property
    def summary(self) -> str:
        """The first sentence of the explanation."""
        return self.doc.split("\n", 1)[0]

    def example(self, heading: str) -> str:
        """Returns the code below "Confirming example" or "Refuting example"; "" if there is none."""
        return section(self.doc, heading)


def experiment(
    *, name: str, tests: tuple[str, ...], steps: int, traces: int = 1, compares_losses: bool = True
) -> Callable[[Callable[[Lab], Result]], ExperimentKind]:
    """Enters a function of a Lab into the catalogue as an experiment; see `ExperimentKind`."""

    def decorate(check: Callable[[Lab], Result]) -> ExperimentKind:
        return ExperimentKind(name, tests, steps, traces, check, compares_losses)

    return decorate


@cache
def catalogue() -> Mapping[str, ExperimentKind]:
    """Returns all experiments by name."""
    package = importlib.import_module(f"{__package__}.experiments")
    kinds: dict[str, ExperimentKind] = {}
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for item in vars(importlib.import_module(module.name)).values():
            if isinstance(item, ExperimentKind):
                kinds[item.name] = item
    return kinds
