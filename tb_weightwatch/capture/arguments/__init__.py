"""What public arguments may be: their types, and the checks that several public functions share.

* `types`: the names that signatures show
* `received_value`: how a message names what came
* `familiar_names`: names that people know from `keras.callbacks.TensorBoard`
* `logdir`, `training`: where a run is recorded; loss and optimizer, as `ww.preflight` and `ww.probe` take them
"""

from .familiar_names import DEFAULT_LOGDIR, with_familiar_names
from .logdir import checked_logdir
from .received_value import received, shape_text, static_shape
from .training import check_training, positive, positive_integer

__all__ = [
    "DEFAULT_LOGDIR",
    "check_training",
    "checked_logdir",
    "positive",
    "positive_integer",
    "received",
    "shape_text",
    "static_shape",
    "with_familiar_names",
]
