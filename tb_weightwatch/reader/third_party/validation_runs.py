"""The validation loss that Keras' TensorBoard callback writes to a directory beside that of the training."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .tag_collector import TagCollector
from .tag_names import is_evaluation, is_training, scalar_kind

VALIDATION = "validation"  # names its tags among those of the training: "validation/epoch_loss"


def validation_halves(directories: Iterable[str]) -> dict[str, str]:
    """Returns the directory of a training ("run/train") -> that of its validation ("run/validation")."""
    directories = sorted(directories)
    evaluations = {_parent(directory): directory for directory in directories if is_evaluation(directory)}
    trainings = (directory for directory in directories if is_training(directory))
    return {training: evaluations[_parent(training)] for training in trainings if _parent(training) in evaluations}


def add_validation(training: TagCollector, validation: TagCollector) -> None:
    """Adds the loss of the validation half of a run to its training half, under a name that tells it apart."""
    for tag, series in validation.scalars.items():
        if scalar_kind(tag) == "loss":  # it counts its steps as the training does
            training.scalars[f"{VALIDATION}/{tag}"] = series


def _parent(directory: str) -> str:
    return re.sub(r"(^|[/\\])[^/\\]*$", "", directory.rstrip("/\\"))
