"""Reading the user's objects: the tensors of one step, the model and its settings, the batch.

What is named here is also used by `probes`. It is imported on first use, since the summary functions work without
TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .dry_run import loss_function
    from .exception_meaning import meaning_of
    from .loss_names import whole_loss_name
    from .model_facts import has_own_train_step
    from .model_layers import flat_layers, layer_by_variable
    from .observation import base_optimizers, clips, total_iterations
    from .optimizer_facts import optimizers_of
    from .samples import sample_count, selected_samples

_MODULES = {
    "base_optimizers": "observation",
    "clips": "observation",
    "flat_layers": "model_layers",
    "has_own_train_step": "model_facts",
    "layer_by_variable": "model_layers",
    "loss_function": "dry_run",
    "meaning_of": "exception_meaning",
    "optimizers_of": "optimizer_facts",
    "sample_count": "samples",
    "selected_samples": "samples",
    "total_iterations": "observation",
    "whole_loss_name": "loss_names",
}
__all__ = [
    "base_optimizers",
    "clips",
    "flat_layers",
    "has_own_train_step",
    "layer_by_variable",
    "loss_function",
    "meaning_of",
    "optimizers_of",
    "sample_count",
    "selected_samples",
    "total_iterations",
    "whole_loss_name",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
