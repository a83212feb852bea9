"""What the recorded structure tells: the output layer, the order of layers, where the chain is cut."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...history import History
from .columns import model_facts, trainable, variables
from .memo import from_records
from .scans import Bool

# Layers that pass their input on at the same scale.
TRANSPARENT = (
    "InputLayer", "Flatten", "Reshape", "Permute", "Dropout", "GaussianNoise", "GaussianDropout", "AlphaDropout",
    "Concatenate", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "Cropping1D", "Cropping2D", "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "UpSampling1D", "UpSampling2D", "Masking",
    "RepeatVector", "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "SpatialDropout1D",
    "SpatialDropout2D", "Activation", "Identity",
)  # fmt: skip
# First layers with weights that take an input of any scale as it is.
PLAIN = (
    "Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", "SeparableConv1D", "SeparableConv2D", "DepthwiseConv2D",
    "DepthwiseConv1D", "Conv1DTranspose", "Conv2DTranspose", "LSTM", "GRU", "SimpleRNN", "Bidirectional",
    "TimeDistributed",
)  # fmt: skip


def model_layers(history: History) -> list[dict[str, Any]]:
    """Returns the recorded layers of the model from input to output; [] if they are not known."""
    return list((model_facts(history).get("model") or {}).get("layers") or [])


def output_activation(history: History) -> str:
    """Returns the output layer's activation in small letters, "linear" if it has none; "" if the layer is not known."""
    layer = model_facts(history).get("output_layer") or {}
    found = layer.get("activation")
    return str(found).lower() if found else "linear" if layer.get("name") else ""


def output_units(history: History) -> int | None:
    """Returns the number of units of the output layer, or None if it is not known."""
    units = (model_facts(history).get("output_layer") or {}).get("units")
    if units is None:
        shape = model_facts(history).get("prediction_shape") or []
        units = shape[-1] if len(shape) > 1 else None
    return int(units) if isinstance(units, (int, float)) else None


def predicted_units(history: History) -> int:
    """Returns the units of what was predicted, 1 if not known; the last layer need not be what makes it."""
    shape = model_facts(history).get("prediction_shape") or []
    return int(shape[-1]) if len(shape) > 1 and isinstance(shape[-1], int) else output_units(history) or 1


def output_is_plain(history: History) -> bool:
    """Says whether the recorded output layer is sure to be what makes the predictions, and its activation the last.

    A subclassed model may do anything in its `call`; a last layer of an unknown kind may hold an activation of its own.
    """
    kind = str((model_facts(history).get("model") or {}).get("class") or "")
    ends = [x for x in model_layers(history) if x.get("class") not in ("Flatten", "Reshape", "Dropout", "InputLayer")]
    last = str(ends[-1].get("class") or "") if ends else ""
    return kind in ("Sequential", "Functional") and last in (*PLAIN, "Activation", "Softmax", "ReLU")


def normalizes_inputs(history: History) -> bool | None:
    """Says whether the model itself brings its inputs to a common scale; None if its layers are not known."""
    for layer in model_layers(history):
        kind = str(layer.get("class") or "")
        if kind in TRANSPARENT and not layer.get("weights"):
            continue
        return kind not in PLAIN
    return None


@from_records
def variable_depths(history: History) -> NDArray[np.int64]:
    """Returns `[V]` the place of each variable's layer, counted from the input, in order of first appearance."""
    places: dict[str, int] = {}
    order = [v.layer or v.name for v in variables(history)]
    return np.array([places.setdefault(name, len(places)) for name in order], np.int64)


def disconnected_region(history: History, without: Bool, whole: Bool | None = None) -> str:
    """Says where the variables in `without` `[V]` lie among the trainable ones.

    Returns:
        "all", "input side" (everything up to some depth), "output side", or "inside".
    """
    whole = trainable(history) if whole is None else whole
    places = variable_depths(history)
    if not (whole & ~without).any():
        return "all"
    rest = places[whole & ~without]
    gone = places[whole & without]
    if gone.max() <= rest.min():  # a kernel alone of a layer: what comes into it is zero
        return "input side"
    return "output side" if gone.min() > rest.max() else "inside"


@from_records
def trainable_kernels(history: History) -> Bool:
    """Returns `[V]` which trainable variables are matrices (all trainable ones, where there is no matrix)."""
    many = np.array([len(v.shape) > 1 for v in variables(history)], bool) & trainable(history)
    return many if many.any() else trainable(history)


def layer_of(history: History, name: str) -> Bool:
    """Returns `[V]` which variables belong to the layer (or layer use) of that name."""
    return np.array([bool(v.layer) and _same(v.layer, name) for v in variables(history)], bool)


def _same(owner: str, use: str) -> bool:
    return owner == use or use.startswith((f"{owner}#", f"{owner} (", f"{owner}:")) or owner.endswith(f"/{use}")
