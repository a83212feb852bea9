"""Copies of a callback that has not been used: for `copy.deepcopy`, for `pickle`, and for each trial of KerasTuner."""

from __future__ import annotations

import copy
import os
import sys
from types import FrameType
from typing import Any, NamedTuple


class _Trial(NamedTuple):
    """A training within a search of KerasTuner."""

    name: str
    execution: int


class CopiedBeforeUse:
    """Lets an unused callback be copied and pickled: the copy is made of the same arguments, and records by itself.

    The class that derives from it directly takes `logdir` and options, notes them, and says whether it has been used.
    """

    _noted: tuple[Any, dict[str, Any], frozenset[str]]

    def _note_arguments(self, logdir: Any, options: dict[str, Any]) -> None:
        """Notes the arguments of the constructor at its end; attributes that a subclass sets later are copied."""
        self._noted = logdir, options, frozenset(vars(self)) | {"_noted"}

    def _is_used(self) -> bool:
        raise NotImplementedError

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        logdir, options, attributes = self._to_copy()
        if isinstance(logdir, (str, os.PathLike)):
            logdir = folder_of_copy(os.fspath(logdir))
        copied = _made(type(self), logdir, copy.deepcopy(options, memo), copy.deepcopy(attributes, memo))
        memo[id(self)] = copied
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        logdir, options, attributes = self._to_copy()
        if not isinstance(logdir, (str, os.PathLike)):
            raise TypeError(
                f"a {type(self).__name__} that was given a tf.summary writer cannot be pickled, since the writer "
                "belongs to this process; pass the folder of a run instead"
            )
        return _made, (type(self), os.fspath(logdir), options, attributes)

    def _to_copy(self) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        if self._is_used():
            raise TypeError(
                f"a {type(self).__name__} can be copied and pickled only before the training that it records, got one "
                "that has been used; make a new one for the other training"
            )
        logdir, options, own = self._noted
        return logdir, options, {name: value for name, value in vars(self).items() if name not in own}


def _made(kind: type, logdir: Any, options: dict[str, Any], attributes: dict[str, Any]) -> Any:
    """Returns an instance made of these arguments, without the constructor of a subclass, which may take others."""
    constructor = next(base for base in kind.__mro__ if CopiedBeforeUse in base.__bases__)
    made: Any = object.__new__(kind)
    constructor.__init__(made, logdir, **options)  # type: ignore[misc]
    vars(made).update(attributes)
    return made


def folder_of_copy(logdir: str) -> str:
    """Returns where a copy records: the same folder, or a folder of the trial within a search of KerasTuner.

    KerasTuner copies its callbacks for each execution of a trial. Their folders have the names that it gives those of
    `keras.callbacks.TensorBoard`: "0003/execution0".
    """
    trial = _present_trial(sys._getframe(1))
    if trial is None:
        return logdir
    parts = [] if os.path.basename(os.path.normpath(logdir)) == trial.name else [trial.name]
    return os.path.join(logdir, *parts, f"execution{trial.execution}")


def _present_trial(frame: FrameType | None) -> _Trial | None:
    """Returns the trial whose callbacks are being copied. KerasTuner tells it to no callback but TensorBoard."""
    while frame is not None:
        is_tuner = frame.f_globals.get("__name__", "").partition(".")[0] == "keras_tuner"
        if is_tuner and frame.f_code.co_name == "run_trial":
            name = getattr(frame.f_locals.get("trial"), "trial_id", None)
            return None if name is None else _Trial(str(name), int(frame.f_locals.get("execution", 0)))
        frame = frame.f_back
    return None
