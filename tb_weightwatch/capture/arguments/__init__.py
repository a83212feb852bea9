"""What public arguments may be: their types, and the checks that several public functions share.

* `types`: the names that signatures show
* `received_value`: how a message names what came
* `logdir`, `training`: where a run is recorded; loss and optimizer, as `ww.preflight` and `ww.probe` take them
"""

from .logdir import checked_logdir
from .received_value import received, shape_text, static_shape
from .training import check_training, positive, positive_integer

__all__ = ["check_training", "checked_logdir", "positive", "positive_integer", "received", "shape_text", "static_shape"]
