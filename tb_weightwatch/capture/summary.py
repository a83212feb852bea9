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
from ..verdict import Evidence, Severity, Verdict
from .observe.as_numpy import variable_arrays, whole_number
from .summary_arguments import check_labels, evidence_items, named_variables, run_numbers
from .summary_writer import Writer, default_writer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..diagnosis import RuleSettings
    from .arguments.types import GradientArray, LogDir, WholeNumber

__all__ = ["UNSEEN", "Writer", "create_file_writer", "update", "verdict"]

UNSEEN = NOT_OBSERVED  # the public name for a gradient that is not known


def create_file_writer(logdir: LogDir, *, rules: RuleSettings | None = None, verbose: bool = True) -> Writer:
    """Returns a writer for `update` and `verdict`; each writer starts a launch of its own.

    Args:
        logdir: folder of the run (events go to `<logdir>/weightwatch`), or a `tf.summary` writer of your own.
        rules: name or code of a rule -> thresholds by name, or False to mute it.
        verbose: prints a new answer as training runs.

    Raises:
        OSError: the folder cannot be written.
        TypeError: `logdir` is neither a folder nor a `tf.summary` writer, or `rules` is no mapping.
        ValueError: `rules` is not valid.
    """
    return Writer(logdir, rules=rules, verbose=verbose)


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
    Without a writer nothing is measured.

    Args:
        step: number of the training step, from 1, increasing from call to call.
        variables: name -> (gradient, weight before the step, weight after it). A gradient of None means that
            backpropagation gave none, `ww.summary.UNSEEN` that it is not known; a weight before of None means that it
            is not known. The weight before must be a copy, otherwise it changes with the weight.
        loss: loss of this step's batch.
        learning_rate: learning rate that the step used.
        writer: where to write; None: the default writer (`writer.as_default()`).

    Returns:
        True if the step was recorded; False if there is no writer, or if recording failed and has been switched off.

    Raises:
        TypeError: an argument is not a number or an array (in a `tf.function` there are none: call it outside).
        ValueError: the step does not increase, shapes do not agree, or before and after share their memory.
        RuntimeError: the writer is closed.
    """
    writer = _open_writer(writer)
    if writer is None:
        return False
    number, last = whole_number(step), writer.last_step
    if number <= last:
        raise ValueError(
            f"step must increase from call to call: got {number} after {last} (one call takes all variables)"
        )
    arrays = {name: variable_arrays(name, given) for name, given in named_variables(variables)}
    return writer.add_step(number, arrays, run_numbers(loss=loss, learning_rate=learning_rate))


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
    writer = _open_writer(writer)
    if writer is None:
        return False
    number = whole_number(step)
    check_labels(link, severity, variables)
    items, names = tuple(evidence_items(evidence, number)), tuple(str(v) for v in variables)
    return writer.add_verdict(
        Verdict(whole_number(code, "code", 0), str(name), link, severity, "certain", names, number, number, False,
                str(message), items, str(fix))
    )  # fmt: skip


def _open_writer(writer: Writer | None) -> Writer | None:
    """Returns the writer, or the default writer; raises an error if it cannot be written to."""
    if writer is not None and not isinstance(writer, Writer):
        raise TypeError(
            "writer must come from ww.summary.create_file_writer (it takes a tf.summary writer in place of a folder); "
            f"got {type(writer).__name__}"
        )
    writer = default_writer.get() if writer is None else writer
    if writer is not None and writer.closed:
        raise RuntimeError("this writer is closed; make another with ww.summary.create_file_writer(logdir)")
    return writer
