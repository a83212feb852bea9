"""What to do when a training turns out to be sick: `on_verdict` of the callback and of `Watch`."""

from .alert import Alert, new_alerts
from .conditions import Condition, When
from .raise_error import Raise, SickTraining
from .stop_training import StopTraining
from .tuners import FailTrial, PruneTrial

__all__ = [
    "Alert",
    "Condition",
    "FailTrial",
    "PruneTrial",
    "Raise",
    "SickTraining",
    "StopTraining",
    "When",
    "new_alerts",
]
