"""Summary functions in the manner of `tf.summary`, for hand-made statistics and for frameworks other than TensorFlow.

Reached as `ww.summary`. Neither TensorFlow nor Keras is imported here: arrays of any framework are taken as numpy sees
them.

    with ww.summary.create_file_writer("logs/run-3") as writer:
        for step in range(1, 1001):
            before = {name: w.copy() for name, w in weights.items()}
            loss, gradients = train(weights)
            ww.summary.update(step, {n: (gradients[n], before[n], w) for n, w in weights.items()}, loss=loss)
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from ..history import History
from ..statistics import NOT_OBSERVED
from ..verdict import LINKS, SEVERITIES, Diagnosis, Evidence, Severity, Verdict
from .measure.summary_rows import SummaryRows
from .observe.as_numpy import VariableArrays, scalar, variable_arrays, whole_number
from .observe.library_versions import library_versions
from .recorder import Recorder

__all__ = ["UNSEEN", "Writer", "create_file_writer", "update", "verdict"]

UNSEEN = NOT_OBSERVED  # the public name of "this gradient is not known"


class Writer:
    """Where `update` and `verdict` write; made by `create_file_writer`.

    As a context manager it is the default writer inside and is closed at the end.
    """

    def __init__(self, logdir: Any, *, rules: Mapping[str, Any] | None = None, verbose: bool = True) -> None:
        self._recorder = Recorder(logdir, kind="summary", overhead=None, rules=rules, verbose=verbose)
        self._recorder.describe(0, "facts", {"gradients": "raw", "versions": library_versions()})
        self._gathering = SummaryRows(self._recorder)
        self._closed = False
        self._inside: list[contextlib.AbstractContextManager[Writer]] = []

    @property
    def diagnosis(self) -> Diagnosis:
        """The answer from all steps so far."""
        return self._recorder.diagnosis

    @property
    def history(self) -> History:
        """What has been recorded so far."""
        return self._recorder.history

    @contextlib.contextmanager
    def as_default(self) -> Iterator[Writer]:
        """Makes this the writer that `update` and `verdict` use inside the block, in this thread."""
        token = _DEFAULT.set(self)
        try:
            yield self
        finally:
            _DEFAULT.reset(token)

    def close(self) -> None:
        """Ends the launch and closes its event file; closing twice is fine."""
        self._end("closed")

    def __enter__(self) -> Writer:
        self._inside.append(self.as_default())
        return self._inside[-1].__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        self._inside.pop().__exit__(None, None, None)
        self._end("exception" if kind else "completed", kind.__name__ if kind else "")

    def _end(self, how: str, detail: str = "") -> None:
        if not self._closed:
            self._closed = True
            self._recorder.close(how, detail)

    def _open(self) -> Writer:
        if self._closed:
            raise RuntimeError("this writer is closed; make another with ww.summary.create_file_writer(logdir)")
        return self

    def _update(self, step: int, variables: dict[str, VariableArrays], run: dict[str, float]) -> bool:
        with self._recorder.guarded():
            self._gathering.put(step, variables, run)
        return not self._recorder.off

    def _verdict(self, found: Verdict) -> bool:
        with self._recorder.guarded():
            self._recorder.describe(found.first_step, "verdict", found.as_dict())
        return not self._recorder.off


_DEFAULT: ContextVar[Writer | None] = ContextVar("weightwatch_writer", default=None)


def create_file_writer(logdir: Any, *, rules: Mapping[str, Any] | None = None, verbose: bool = True) -> Writer:
    """Returns a writer for `update` and `verdict`; each one starts a launch of its own.

    Args:
        logdir: folder of the run (events go to `<logdir>/weightwatch`), or a `tf.summary` writer of your own.
        rules: rule name -> thresholds by name, or False to mute the rule.
        verbose: prints a new answer as training runs.

    Raises:
        OSError: the folder can not be written.
        ValueError: `rules` is not valid.
    """
    return Writer(logdir, rules=rules, verbose=verbose)


def update(
    step: Any,
    variables: Mapping[str, tuple[Any, Any, Any]],
    *,
    loss: Any = None,
    learning_rate: Any = None,
    writer: Writer | None = None,
) -> bool:
    """Records what one training step did to the weights.

    Arrays may be numpy's, tensors, variables or lists. Call it once a step, with all variables of the step; nothing is
    measured where there is no writer.

    Args:
        step: number of the training step, from 1, increasing from call to call.
        variables: name -> (gradient, weight before the step, weight after it). A gradient of None says that
            backpropagation gave none, `ww.summary.UNSEEN` that it is not known; a weight before of None, that it is
            not known. The weight before must be a copy, or it changes with the weight.
        loss: loss of this step's batch.
        learning_rate: learning rate that the step used.
        writer: where to write; None: the default writer (`writer.as_default()`).

    Returns:
        True if it was recorded, False if there is no writer, or recording failed and has been switched off.

    Raises:
        TypeError: an argument is no number or no array (in a `tf.function` there are none: call it outside).
        ValueError: the step does not increase, shapes do not agree, or before and after are one piece of memory.
        RuntimeError: the writer is closed.
    """
    chosen = _chosen(writer)
    if chosen is None:
        return False
    number = whole_number(step)
    last = chosen._gathering.last
    if number <= last:
        raise ValueError(
            f"step must increase from call to call: got {number} after {last} (one call takes all variables)"
        )
    found = {name: variable_arrays(name, one) for name, one in _named(variables)}
    given = {"loss": loss, "learning_rate": learning_rate}
    run = {name: scalar(name, value) for name, value in given.items() if value is not None}
    return chosen._update(number, found, run)


def verdict(  # noqa: PLR0913
    step: Any,
    name: str,
    message: str,
    *,
    link: str,
    severity: Severity = "warning",
    code: int = 0,
    variables: Iterable[str] = (),
    fix: str = "",
    evidence: Iterable[Evidence] | Mapping[str, Any] = (),
    writer: Writer | None = None,
) -> bool:
    """Records what you found yourself, so that it stands beside the rules' verdicts.

    Args:
        step: training step at which it was seen, from 1.
        name: short name in the manner of the rules' ("dead-embedding").
        message: one sentence with its numbers.
        link: broken link of the chain: data, activations, loss, gradient, optimizer, update or weight.
        severity: info, warning or error.
        code: number of your own; 0: none.
        variables: names of the variables that it concerns.
        fix: what to do about it.
        evidence: the numbers that it rests on: `ww.Evidence`, or name -> number.
        writer: where to write; None: the default writer.

    Returns:
        True if it was recorded, False if there is no writer, or recording failed and has been switched off.

    Raises:
        TypeError: `variables` is one string, or an argument has another type than expected.
        ValueError: `link` or `severity` does not exist, or the step is not positive.
        RuntimeError: the writer is closed.
    """
    chosen = _chosen(writer)
    if chosen is None:
        return False
    number = whole_number(step)
    for what, value, known in (("link", link, LINKS), ("severity", severity, SEVERITIES)):
        if value not in known:
            raise ValueError(f"{what} must be one of {', '.join(known)}; got {value!r}")
    if isinstance(variables, str):
        raise TypeError(f"variables must be names, like [{variables!r}]; got one string")
    rests = tuple(_evidence(evidence, number))
    names = tuple(str(v) for v in variables)
    return chosen._verdict(
        Verdict(whole_number(code, "code", 0), str(name), link, severity, "certain", names, number, number, False,
                str(message), rests, str(fix))
    )  # fmt: skip


def _chosen(writer: Writer | None) -> Writer | None:
    if writer is not None and not isinstance(writer, Writer):
        raise TypeError(
            "writer must come from ww.summary.create_file_writer (it takes a tf.summary writer in place of a folder); "
            f"got {type(writer).__name__}"
        )
    found = _DEFAULT.get() if writer is None else writer
    return None if found is None else found._open()


def _named(variables: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(variables, Mapping):
        raise TypeError(f"expected {{name: (gradient, weight_before, weight_after)}}, got {type(variables).__name__}")
    for name in variables:
        if not isinstance(name, str):
            raise TypeError(f"names of variables must be strings, got {name!r}")
    return variables.items()


def _evidence(evidence: Any, step: int) -> Iterator[Evidence]:
    if isinstance(evidence, Mapping):
        yield from (Evidence(str(n), scalar(str(n), v), "", step=step) for n, v in evidence.items())
        return
    for one in evidence:
        if not isinstance(one, Evidence):
            raise TypeError(f"evidence must be ww.Evidence, or {{name: number}}; got {type(one).__name__}")
        yield one
