"""A step of `model.fit` that has run recorded."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..measure.step_data import StepData
from .step_layout import StepLayout


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
