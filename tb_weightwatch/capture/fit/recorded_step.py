"""A step of `model.fit` that has run recorded."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..measure.step_data import StepData
from .step_layout import StepLayout, Tensors


class RecordedStep(NamedTuple):
    """One step that has run.

    Attributes:
        logs: what the user's train function returns for it.
        layout: describes the variables and layers of the step; None after a fault.
        data: the tensors of the step; None after a fault.
        fault: the first exception of the recorder's own code in this train function.
    """

    logs: Any
    layout: StepLayout | None
    data: StepData | None
    fault: BaseException | None

    def read(self) -> tuple[StepLayout, StepData]:
        """Returns layout and data; raises the fault if there is one."""
        if self.fault is not None:
            raise self.fault
        if self.layout is None or self.data is None:
            raise RuntimeError("the recorded step returned no tensors")
        return self.layout, self.data


def logs_of(result: Any) -> Any:
    """Returns what the user's train step returned, of what a traced step returned.

    That of the recorder returns {"logs": ..., "layout": {key of a layout: its tensors}}; if the recorder has failed
    before it was traced, the user's own one has been.
    """
    return result["logs"] if _is_recorded(result) else result


def layouts_of(result: Any) -> dict[str, Tensors]:
    """Returns the key of the layout -> its tensors, of what a traced step returned; {} after a fault."""
    layouts: dict[str, Tensors] = result["layout"] if _is_recorded(result) else {}
    return layouts


def _is_recorded(result: Any) -> bool:
    return isinstance(result, dict) and "layout" in result
