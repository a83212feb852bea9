"""tb_weightwatch tells why your TensorFlow weights aren't moving."""

from __future__ import annotations

import importlib
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from ._version import __version__
from .display import provide_html

if TYPE_CHECKING:
    from . import maps
    from .actions import Alert, FailTrial, PruneTrial, Raise, SickTraining, StopTraining
    from .capture import summary as summary
    from .capture.keras_callback import WeightWatch
    from .capture.preflight import preflight
    from .capture.watch import Watch
    from .diagnosis import diagnose
    from .history import History
    from .notebook import show
    from .probes import ProbeReport, probe
    from .probes.assert_learns import assert_learns
    from .reader import read
    from .verdict import Diagnosis, Evidence, Verdict

# Public name -> (module, attribute; "": the module itself). TensorFlow and TensorBoard take seconds to import, so each
# name is imported when it is first used.
_LOCATIONS = {
    "Alert": ("actions", "Alert"),
    "Diagnosis": ("verdict", "Diagnosis"),
    "Evidence": ("verdict", "Evidence"),
    "FailTrial": ("actions", "FailTrial"),
    "History": ("history", "History"),
    "PruneTrial": ("actions", "PruneTrial"),
    "Raise": ("actions", "Raise"),
    "SickTraining": ("actions", "SickTraining"),
    "StopTraining": ("actions", "StopTraining"),
    "Verdict": ("verdict", "Verdict"),
    "Watch": ("capture.watch", "Watch"),
    "WeightWatch": ("capture.keras_callback", "WeightWatch"),
    "ProbeReport": ("probes", "ProbeReport"),
    "maps": ("maps", ""),
    "assert_learns": ("probes", "assert_learns"),
    "diagnose": ("diagnosis", "diagnose"),
    "preflight": ("capture.preflight", "preflight"),
    "probe": ("probes", "probe"),
    "read": ("reader", "read"),
    "show": ("notebook", "show"),
    "summary": ("capture.summary", ""),
}
# The names that need TensorFlow and Keras.
_TRAINING = ("ProbeReport", "Watch", "WeightWatch", "assert_learns", "preflight", "probe")
__all__ = [
    "Alert",
    "Diagnosis",
    "Evidence",
    "FailTrial",
    "History",
    "ProbeReport",
    "PruneTrial",
    "Raise",
    "SickTraining",
    "StopTraining",
    "Verdict",
    "Watch",
    "WeightWatch",
    "__version__",
    "assert_learns",
    "diagnose",
    "maps",
    "preflight",
    "probe",
    "read",
    "show",
    "summary",
]


if not TYPE_CHECKING:  # else a type checker would take any name to exist

    def __getattr__(name: str) -> object:
        if name not in _LOCATIONS:
            near = get_close_matches(name, __all__, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(__all__)}"
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}; {hint}")
        module_name, attribute = _LOCATIONS[name]
        if name in _TRAINING:
            importlib.import_module(f"{__name__}.capture.training_libraries").check_training_libraries(name)
        module = importlib.import_module(f"{__name__}.{module_name}")
        if name in ("Watch", "WeightWatch"):
            _provide_experiments()
        return getattr(module, attribute) if attribute else module


def _provide_experiments() -> None:
    """Hands the experiments to the recorders, which stand on a lower floor; they are imported when one runs."""
    probing = importlib.import_module(f"{__name__}.capture.probing")

    def run(**arguments: Any) -> ProbeReport:
        from .probes import probe

        return probe(**arguments)

    probing.provide(run)


def _html(value: Any) -> str:
    """Returns a Diagnosis or a History as HTML for a notebook; it is rendered on a floor above theirs."""
    return str(importlib.import_module(f"{__name__}.notebook").html(value))


provide_html(_html)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
