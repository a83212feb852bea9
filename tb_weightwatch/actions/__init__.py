"""What to do when a training turns out to be sick: `on_verdict` of the callback and of `Watch`."""

from .action import Action, When
from .alert import Alert, Stop, new_alerts
from .raise_error import Raise, SickTraining
from .stop_training import StopTraining
from .tuners import FailTrial, PruneTrial

__all__ = [
    "Action",
    "Alert",
    "FailTrial",
    "PruneTrial",
    "Raise",
    "SickTraining",
    "Stop",
    "StopTraining",
    "When",
    "new_alerts",
]
