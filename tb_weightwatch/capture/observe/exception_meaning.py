"""What an exception says about a training: one of a few meanings, derived from its type and message.

The message itself may hold values of the data, paths and lines of code, so it is read here and never recorded.
"""

from __future__ import annotations

import re
from typing import NamedTuple

OTHER = "other"
_CAUSES = 4  # exceptions in a chain ("raise ... from error") that are looked at
_LONGEST = 20_000  # characters of a message that are read at its beginning and at its end
# Names of types, of which an exception may be a subclass: the summary functions work without TensorFlow.
_TENSORFLOW = ("OpError",)
_PYTHON = ("ValueError", "TypeError", "RuntimeError", "ArithmeticError", "AssertionError")
_SHAPES = ("ValueError", "TypeError", "InvalidArgumentError")
_NAN_CHECK = r"Tensor had (?:NaN|-?Inf)"  # of tf.debugging.check_numerics and enable_check_numerics
# Keras' names of the losses that compare targets and predictions element by element, as nodes of the step's graph.
_ELEMENTWISE = r"compile_loss/(?:mse|mae|mape|msle|huber|log_cosh|mean_\w+)/"


class _Entry(NamedTuple):
    meaning: str
    types: tuple[str, ...]
    pattern: str = ""


# The first entry whose type and pattern fit gives the meaning.
_TABLE = (
    _Entry("interrupted", ("KeyboardInterrupt", "SystemExit", "GeneratorExit")),
    _Entry("out-of-memory", ("MemoryError", "ResourceExhaustedError")),
    _Entry("out-of-memory", _TENSORFLOW, r"OOM when allocating|[Oo]ut of memory|CUDA_ERROR_OUT_OF_MEMORY"),
    _Entry("no-gradients", ("ValueError",), r"No gradients provided for any variable"),
    _Entry("variables-made-in-step", ("ValueError",), r"only supports singleton tf\.Variables"),
    _Entry("label-out-of-range", _TENSORFLOW, r"label value of -?\d+ which is outside the valid range"),
    _Entry("non-finite-in-gradient", _TENSORFLOW, rf"(?i:grad)[^\n{{}}]* : {_NAN_CHECK}"),
    _Entry("non-finite-in-gradient", _TENSORFLOW, rf"{_NAN_CHECK}[^\n]*\s+\[\[\{{\{{node [^\n]*gradient"),
    _Entry("non-finite-in-loss", _TENSORFLOW, rf"(?i:loss)[^\n{{}}]* : {_NAN_CHECK}"),
    _Entry("non-finite-in-loss", _TENSORFLOW, rf"{_NAN_CHECK}[^\n]*\s+\[\[\{{\{{node [^\n]*compile_loss"),
    _Entry("non-finite", _TENSORFLOW, _NAN_CHECK),
    _Entry("non-finite-loss", ("RuntimeError",), r"NaN or Inf loss encountered at batch"),  # keras' TerminateOnNaN
    _Entry("non-finite-in-loss", _PYTHON, r"(?i)\bloss\b[^\n]{0,40}\b(?:nan|inf|non-?finite|not finite)\b"),
    _Entry("non-finite-in-loss", _PYTHON, r"(?i)\b(?:nan|inf|non-?finite)\b[^\n]{0,20}\bloss\b"),
    _Entry("target-shape-mismatch", _SHAPES, r"Arguments `target` and `output` must have the same (?:rank|shape)"),
    _Entry("target-shape-mismatch", _SHAPES, r"Argument `output` must have rank \(ndim\) `target\.ndim - 1`"),
    _Entry("target-shape-mismatch", _SHAPES, r"logits and labels must (?:have the same first|be broadcastable)"),
    _Entry("target-shape-mismatch", _SHAPES, rf"Dimensions must be equal[^\n]*{_ELEMENTWISE}"),
    _Entry(
        "shape-mismatch",
        _SHAPES,
        r"Dimensions must be equal|[Ii]ncompatible shapes|[Ss]hapes [^\n]{1,200} are incompatible|size-incompatible|"
        r"is incompatible with the layer: expected|must have the same shape|could not be broadcast together",
    ),
    _Entry(
        "dtype-mismatch",
        _SHAPES,
        r"was expected to be an? \w+ tensor but is an? \w+ tensor|has type \w+ that does not match type|"
        r"Tensor conversion requested dtype|Invalid dtype",
    ),
)
MEANINGS = (*dict.fromkeys(entry.meaning for entry in _TABLE), OTHER)
# What the user's data or program alone can cause, never the recorder's reading of a step.
OF_THE_BATCH = ("label-out-of-range", *(meaning for meaning in MEANINGS if meaning.startswith("non-finite")))


def meaning_of(error: BaseException) -> str:
    """Returns the meaning of an exception, or else of the one that it was raised from; one of `MEANINGS`."""
    cause: BaseException | None = error
    for _ in range(_CAUSES):
        if cause is None:
            break
        meaning = _meaning(cause)
        if meaning != OTHER:
            return meaning
        cause = cause.__cause__
    return OTHER


def has_type(error: BaseException, *names: str) -> bool:
    """Whether an exception is of one of the types with these names, or of a subclass."""
    return any(kind.__name__ in names for kind in type(error).__mro__)


def _meaning(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # of a class of the user's
        text = ""
    if len(text) > 2 * _LONGEST:
        text = f"{text[:_LONGEST]}\n{text[-_LONGEST:]}"
    entries = (e for e in _TABLE if has_type(error, *e.types) and re.search(e.pattern, text))
    return next((e.meaning for e in entries), OTHER)
