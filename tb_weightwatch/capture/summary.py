"""Summary functions in the manner of `tf.summary`, for hand-made statistics and for frameworks other than TensorFlow.

Reached as `ww.summary`. This module imports neither TensorFlow nor Keras: arrays of any framework are converted to
numpy.

    with ww.summary.create_file_writer("logs/run-3") as writer:
        for step in range(1, 1001):
            before = {name: w.copy() for name, w in weights.items()}
            loss, gradients = train(weights)
            ww.summary.update(step, {n: (gradients[n], before[n], w) for n, w in weights.items()}, loss=loss)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..statistics import NOT_OBSERVED
from ..verdict import Evidence, Severity
from .summary_writer import Writer, default_writer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..diagnosis import RuleSettings
    from .arguments.types import GradientArray, LogDir, WholeNumber

__all__ = ["UNSEEN", "Writer", "create_file_writer", "update", "verdict"]

UNSEEN = NOT_OBSERVED  # the public name for a gradient that is not known


def create_file_writer(
    logdir: LogDir,
    *,
    overhead: float | None = 0.02,
    rules: RuleSettings | None = None,
    verbose: bool = True,
    scalars: bool = False,
) -> Writer:
    """Returns a writer for `update` and `verdict`; each writer starts a launch of its own.

    Args:
        logdir: folder of the run (events go to `<logdir>/weightwatch`), or a `tf.summary` writer of your own.
        overhead: share of the time since the first `update` that recording may cost; None records every step.
        rules: name or code of a rule -> thresholds by name, or False to mute it.
        verbose: prints a new answer as training runs.
        scalars: also writes a dozen scalars, and the answer as a hyperparameter, for TensorBoard's own tabs.

    Raises:
        OSError: the folder cannot be written.
        TypeError: `logdir` is neither a folder nor a `tf.summary` writer, or `rules` is no mapping.
        ValueError: `overhead` or `rules` is not valid.
    """
    return Writer(logdir, overhead=overhead, rules=rules, verbose=verbose, scalars=scalars)


def update(
    step: WholeNumber,
    variables: Mapping[str, tuple[GradientArray, ArrayLike | None, ArrayLike]],
    *,
    loss: ArrayLike | None = None,
    learning_rate: ArrayLike | None = None,
    writer: Writer | None = None,
) -> bool:
    """Records what one training step did to the weights.

    Arrays may be numpy arrays, tensors, variables or lists. Call this once a step, with all variables of the step.
    Without a writer nothing is measured. A wrong argument is an error in the first 16 calls. Later it is a
    RuntimeWarning, given once, the step is not recorded, and training goes on.

    Args:
        step: number of the training step, from 1, increasing from call to call.
        variables: name -> (gradient, weight before the step, weight after it). A gradient of None means that
            backpropagation gave none, `ww.summary.UNSEEN` that it is not known; a weight before of None means that it
            is not known. The weight before must be a copy, otherwise it changes with the weight.
        loss: loss of this step's batch.
        learning_rate: learning rate that the step used.
        writer: where to write; None: the default writer (`writer.as_default()`).

    Returns:
        True if the step was recorded; False if the budget does not afford it (see `overhead`), if there is no writer,
        or if recording failed and has been switched off.

    Raises:
        TypeError: an argument is not a number or an array (in a `tf.function` there are none: call it outside).
        ValueError: the step does not increase, shapes do not agree, or before and after share their memory.
        RuntimeError: the writer is closed.
    """
    target = default_writer.get() if writer is None else writer
    if not isinstance(target, Writer):
        return _not_recorded(target)
    return bool(target.update(step, variables, {"loss": loss, "learning_rate": learning_rate}))


def verdict(  # noqa: PLR0913
    step: WholeNumber,
    name: str,
    message: str,
    *,
    link: str,
    severity: Severity = "warning",
    code: int = 0,
    variables: Iterable[str] = (),
    fix: str = "",
    evidence: Iterable[Evidence] | Mapping[str, ArrayLike] = (),
    writer: Writer | None = None,
) -> bool:
    """Records a verdict of your own, which is shown beside those of the rules.

    Args:
        step: training step at which it was seen, from 1.
        name: short name in the manner of the rules' names ("dead-embedding").
        message: one sentence with its numbers.
        link: broken link of the chain: data, activations, loss, gradient, optimizer, update or weight.
        severity: info, warning or error.
        code: number of your own; 0: none.
        variables: names of the variables that it concerns.
        fix: what to do about it.
        evidence: the numbers that it is based on: `ww.Evidence`, or name -> number.
        writer: where to write; None: the default writer.

    Returns:
        True if it was recorded; False if there is no writer, or if recording failed and has been switched off.

    Raises:
        TypeError: `variables` is one string, or an argument has another type than expected.
        ValueError: `link` or `severity` does not exist, or the step is not positive.
        RuntimeError: the writer is closed.
    """
    target = default_writer.get() if writer is None else writer
    if not isinstance(target, Writer):
        return _not_recorded(target)
    fields = {"name": name, "message": message, "link": link, "severity": severity, "variables": variables, "fix": fix}
    return bool(target.add_verdict(step, code, evidence, fields))


def _not_recorded(writer: object) -> bool:
    """Returns False if there is no writer; raises TypeError if it is something else."""
    if writer is not None:
        raise TypeError(
            "writer must come from ww.summary.create_file_writer (it takes a tf.summary writer in place of a folder); "
            f"got {type(writer).__name__}"
        )
    return False
