"""Reading the user's objects: the tensors of one step, the model and its settings, the batch.

What is imported here is also used by `probes`.
"""

from .dry_run import loss_function
from .exception_meaning import meaning_of
from .loss_names import whole_loss_name
from .model_facts import has_own_train_step, optimizers_of
from .model_layers import flat_layers, layer_by_variable
from .observation import base_optimizers, clips, total_iterations

__all__ = [
    "base_optimizers",
    "clips",
    "flat_layers",
    "has_own_train_step",
    "layer_by_variable",
    "loss_function",
    "meaning_of",
    "optimizers_of",
    "total_iterations",
    "whole_loss_name",
]
