"""What a failure of the recorder is called in a recording: never with values, paths or lines of the user's code."""

from __future__ import annotations

import traceback
from pathlib import Path

from .observe.exception_meaning import meaning_of

_PACKAGE = Path(__file__).resolve().parents[1]
_WRITING = ("writer/", "capture/sinks", "capture/tf_summary_sink")


def fault_reason(error: BaseException) -> str:
    """Returns what happened, in a clause: "the event file could not be written (No space left on device)"."""
    kind = type(error).__name__
    places = _places(error)
    if meaning_of(error) == "out-of-memory":
        return f"memory ran out in the recorder ({kind})"
    # TensorFlow's errors are known by name: the summary functions work where it is not installed.
    is_input_output = isinstance(error, OSError) or "OpError" in (base.__name__ for base in type(error).__mro__)
    if is_input_output and any(module.startswith(_WRITING) for module, _ in places):
        detail = error.strerror if isinstance(error, OSError) and error.strerror else kind
        return f"the event file could not be written ({detail})"
    where = f" in {places[-1][0]}, {places[-1][1]}()" if places else ""
    return f"{kind}{where}, a failure of tb_weightwatch"


def _places(error: BaseException) -> list[tuple[str, str]]:
    """Returns the functions of ours that the error passed through, outermost first: module and name."""
    places = []
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename).resolve()
        if path.is_relative_to(_PACKAGE) and path.name != "fault_guard.py":
            places.append((path.relative_to(_PACKAGE).with_suffix("").as_posix(), frame.name))
    return places
