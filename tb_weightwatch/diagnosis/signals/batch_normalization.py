"""The BatchNormalization layers of a model, with the positions of their variables."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...history import History
from .columns import variables
from .memo import from_records
from .model_structure import model_layers


class BatchNormalization(NamedTuple):
    """A BatchNormalization whose moving statistics are recorded.

    Attributes:
        name: its name.
        exact_class: whether it is of Keras' own class; a derived class may compute something else.
        trainable: whether it is trainable, as described.
        momentum: the share of the old moving statistics that a step keeps.
        input_rank: number of axes of its input, the batch included; None if it is not known.
        synchronized: whether it computes its statistics over all replicas.
        mean, variance: positions of its moving statistics among the variables.
        affine: positions of its gamma and beta, as far as it has them.
        has_beta: whether it has a beta.
    """

    name: str
    exact_class: bool
    trainable: bool
    momentum: float
    input_rank: int | None
    synchronized: bool
    mean: int
    variance: int
    affine: tuple[int, ...]
    has_beta: bool


@from_records
def batch_normalizations(history: History) -> tuple[BatchNormalization, ...]:
    """Returns the layers in their order. Layers of one name in different submodels cannot be told apart: left out."""
    layers = model_layers(history)
    names = [layer.get("name") for layer in layers]
    unique = [layer for layer in layers if layer.get("batch_normalization") and names.count(layer["name"]) == 1]
    items = [_item(layer, _positions(history, layer["name"])) for layer in unique]
    return tuple(item for item in items if item is not None)


def _positions(history: History, layer: str) -> dict[str, int]:
    """Returns "gamma", "moving_mean" ... -> the position of that variable of the layer."""
    return {v.name.rpartition("/")[2]: i for i, v in enumerate(variables(history)) if v.layer == layer}


def _item(layer: dict[str, Any], positions: dict[str, int]) -> BatchNormalization | None:
    if not {"moving_mean", "moving_variance"} <= positions.keys():
        return None
    settings = layer["batch_normalization"]
    return BatchNormalization(
        name=layer["name"],
        exact_class=layer.get("class") == "BatchNormalization",
        trainable=bool(layer.get("trainable", True)),
        momentum=float(settings["momentum"]),
        input_rank=settings.get("input_rank"),
        synchronized=bool(settings.get("synchronized")),
        mean=positions["moving_mean"],
        variance=positions["moving_variance"],
        affine=tuple(positions[name] for name in ("gamma", "beta") if name in positions),
        has_beta="beta" in positions,
    )
