"""The dated records of a third-party History: its variables, what wrote it, and which of its columns are estimates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...history import Record
from .keras_model import frozen_layers, keras_facts
from .selected_tags import SelectedTags
from .tag_collector import TagCollector
from .tag_names import variable

KERAS, TF_SUMMARY, PYTORCH = "keras.callbacks.TensorBoard", "tf.summary", "PyTorch's SummaryWriter or similar"
_SIZE = 4  # of `STATISTICS`


def records(
    group: Sequence[TagCollector], tags: SelectedTags, names: list[str], started: float, alignment: dict[str, Any]
) -> list[Record]:
    """Returns the dated records of a third-party launch.

    Args:
        group: its files.
        tags: the data that are used.
        names: of its variables.
        started: unix seconds.
        alignment: how its steps were aligned; becomes part of the facts.
    """
    facts: dict[str, Any] = {}
    for file in group:
        facts.update(keras_facts(file.model) if file.model else {})
    writer = _writer(group, tags)
    facts["recorder"] = {"kind": writer}
    facts["foreign"] = {  # the key's name is part of the public interface
        "writer": writer,
        "unit": group[0].unit or ("epoch" if "epoch" in tags.loss.lower() else "step"),
        "loss": tags.loss,
        "learning_rate": tags.learning_rate,
        "gradient_norm": tags.gradient_norm,
        "validation_loss": tags.validation_loss,
        "moving_objective": any(file.moving_objective for file in group),
        "estimates": _estimates(group, tags),
        "others": sum(file.unused for file in group),
        **alignment,
    }
    items = _variable_items(tags, names, frozen_layers(facts))
    return [Record(0, "variables", {"items": items}, started), Record(0, "facts", facts, started)]


def _variable_items(tags: SelectedTags, names: list[str], frozen: set[str]) -> list[dict[str, Any]]:
    sizes = {
        variable(tag): int(np.clip(np.nanmax(points.values[:, _SIZE], initial=0), 0, 1 << 47))
        for tag, points in {**tags.gradients, **tags.weights}.items()
    }
    items = []
    for name in names:
        layer = name.rpartition("/")[0].rpartition("/")[2] or name.rpartition(".")[0]
        items.append({"name": name, "shape": (sizes[name],), "layer": layer, "trainable": layer not in frozen})
    return items


def _writer(group: Sequence[TagCollector], tags: SelectedTags) -> str:
    if group[0].is_text:
        return group[0].writer
    if any(file.model for file in group) or any(tag.startswith(("epoch_", "batch_")) for tag in tags.scalars):
        return KERAS
    if group[0].writer:
        return group[0].writer
    return TF_SUMMARY if any(file.tensors for file in group) else PYTORCH


def _estimates(group: Sequence[TagCollector], tags: SelectedTags) -> dict[str, str]:
    """Returns the columns that differ from what the recorder would have measured, and how."""
    estimates: dict[str, str] = {}
    exact = {tag for file in group for tag, series in file.histograms.items() if series.exact}
    if tags.weights or tags.gradients:
        estimates |= dict.fromkeys(("weight_nonfinite", "gradient_nonfinite"), "1 means at least one")
        estimates["weight_nonfinite"] += "; it is carried on where no later snapshot was taken"
        estimates["weight_drift"] = "lower bound of how far an element moved, over all snapshots so far"
    if {*tags.weights, *tags.gradients} - exact:
        estimates |= dict.fromkeys(("weight_norm", "weight_std", "gradient_norm"), "from a histogram's buckets")
    if tags.loss.startswith(("epoch_", "batch_")):
        estimates["loss"] = "mean over the epoch so far"
    return estimates
