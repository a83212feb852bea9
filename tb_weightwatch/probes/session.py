"""What experiments work with while they run, and the state of the whole process around them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from ..capture.observe import meaning_of
from .budget import Spending
from .experiment import ExperimentKind, Lab
from .program import Batch, CannotRun, Program
from .state import SavedState, keras_generator_kept, live_variables
from .trials import Trials

MOST_PARAMETERS = 20_000_000  # a larger model is not experimented on: each trial holds copies of its state


@contextmanager
def opened_lab(program: Program, batches: Sequence[Batch], samples: Any, spending: Spending) -> Iterator[Lab]:
    """Yields what experiments work with. At the end all variables of the process are as they were.

    Raises:
        CannotRun: experiments cannot run with this program.
    """
    reason = _why_not_at_all(program)
    if reason:
        raise CannotRun(reason)
    with warnings.catch_warnings(), keras_generator_kept():
        warnings.simplefilter("ignore")  # what Keras warns of in a changed program is no news of the user's own
        try:
            program.build_optimizers(batches[0])
            everything = SavedState(live_variables())
            program.find_changing(batches[0], everything)
        except CannotRun:
            raise
        except Exception as error:
            raise CannotRun(f"the training step raised {exception_text(error)}") from error
        with everything.restored():
            lab = Lab(program, Trials(program, batches, program.saved_state(), spending), samples)
            yield lab


def _why_not_at_all(program: Program) -> str:
    """Returns why no experiment can run; "" if they can."""
    strategy = getattr(program.model, "distribute_strategy", None) or tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync > 1:
        return f"experiments do not run on several replicas ({type(strategy).__name__})"
    weights = program.variables if program.model is None else program.model.weights
    parameters = sum(int(np.prod(variable.shape)) for variable in weights)
    if parameters > MOST_PARAMETERS:
        return f"the model has {parameters:,} parameters; experiments run with up to {MOST_PARAMETERS:,}"
    return ""


def why_not(kind: ExperimentKind, lab: Lab) -> str:
    """Returns why an experiment does not apply to the program; "" if it does."""
    if not kind.compares_losses:
        return ""
    if len(lab.program.optimizers) > 1:
        return "several optimizers minimize losses of their own, of which the step returns one or a sum"
    if not lab.is_repeatable:
        return "the loss of a batch differs from call to call, as with operations of tf.random"
    return ""


def exception_text(error: Exception) -> str:
    """Returns type and meaning of an exception, without values, paths and code."""
    meaning = meaning_of(error)
    return f"{type(error).__name__}" + (f" ({meaning.replace('-', ' ')})" if meaning != "other" else "")
