"""The dated records of a foreign History: its variables, who wrote it, and which of its columns are estimates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...history import Record
from .keras_model import frozen, keras_facts
from .series import Points, TagCollector
from .tag_names import variable

WRITERS = ("keras.callbacks.TensorBoard", "tf.summary", "PyTorch's SummaryWriter or alike")


class Chosen(NamedTuple):
    """What of a run's tags is used: a column's or variable's name -> its data."""

    loss: str
    rate: str
    scalars: dict[str, Points]
    weights: dict[str, Points]
    gradients: dict[str, Points]


def records(
    group: Sequence[TagCollector], chosen: Chosen, names: list[str], began: float, clock: dict[str, Any]
) -> list[Record]:
    """Returns the dated records of a third-party launch."""
    facts: dict[str, Any] = {}
    for file in group:
        facts.update(keras_facts(file.model) if file.model else {})
    writer = _writer(group, chosen)
    facts["recorder"] = {"kind": writer}
    facts["foreign"] = {
        "writer": writer,
        "unit": "epoch" if "epoch" in chosen.loss.lower() else "step",
        "loss": chosen.loss,
        "learning_rate": chosen.rate,
        "estimates": _estimates(group, chosen),
        "others": sum(f.others for f in group),
        **clock,
    }
    still = frozen(facts)
    sizes = {
        variable(tag): int(np.clip(np.nanmax(points.values[:, 4], initial=0), 0, 1 << 47))
        for tag, points in {**chosen.gradients, **chosen.weights}.items()
    }
    items = []
    for name in names:
        layer = name.rpartition("/")[0].rpartition("/")[2] or name.rpartition(".")[0]
        items.append({"name": name, "shape": (sizes[name],), "layer": layer, "trainable": layer not in still})
    return [Record(0, "variables", {"items": items}, began), Record(0, "facts", facts, began)]


def _writer(group: Sequence[TagCollector], chosen: Chosen) -> str:
    if any(f.model for f in group) or any(tag.startswith(("epoch_", "batch_")) for tag in chosen.scalars):
        return WRITERS[0]
    if group[0].writer:
        return group[0].writer
    return WRITERS[1] if any(f.tensors for f in group) else WRITERS[2]


def _estimates(group: Sequence[TagCollector], chosen: Chosen) -> dict[str, str]:
    """Returns which columns are not what a recorder would have put there, and what they are."""
    found: dict[str, str] = {}
    exact = set().union(*(f.exact for f in group))
    if chosen.weights or chosen.gradients:
        found |= dict.fromkeys(("weight_nonfinite", "gradient_nonfinite"), "1 stands for at least one")
        found["weight_nonfinite"] += "; it stays where no later snapshot was taken"
        found["weight_drift"] = "at least so far did an element move, over all snapshots so far"
    if {*chosen.weights, *chosen.gradients} - exact:
        found |= dict.fromkeys(("weight_norm", "weight_std", "gradient_norm"), "from a histogram's buckets")
    if chosen.loss.startswith(("epoch_", "batch_")):
        found["loss"] = "mean over the epoch so far"
    return found
