"""The recorded structure of the model: its output layer, the order of its layers, which of them are disconnected."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...history import History
from .columns import model_facts, trainable, variables
from .memo import from_records
from .scans import Bool

# Layers whose output has the scale of their input.
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
# Layers with weights that do not normalise their input.
PLAIN = (
    "Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", "SeparableConv1D", "SeparableConv2D", "DepthwiseConv2D",
    "DepthwiseConv1D", "Conv1DTranspose", "Conv2DTranspose", "LSTM", "GRU", "SimpleRNN", "Bidirectional",
    "TimeDistributed",
)  # fmt: skip


def model_layers(history: History) -> list[dict[str, Any]]:
    """Returns the recorded layers of the model from input to output; [] if they are unknown."""
    return list((model_facts(history).get("model") or {}).get("layers") or [])


def output_activation(history: History) -> str:
    """Returns the output layer's activation in lower case, "linear" if it has none; "" if the layer is unknown."""
    layer = model_facts(history).get("output_layer") or {}
    activation = layer.get("activation")
    return str(activation).lower() if activation else "linear" if layer.get("name") else ""


def output_units(history: History) -> int | None:
    """Returns the number of units of the output layer, or None if it is unknown."""
    units = (model_facts(history).get("output_layer") or {}).get("units")
    if units is None:
        shape = model_facts(history).get("prediction_shape") or []
        units = shape[-1] if len(shape) > 1 else None
    return int(units) if isinstance(units, (int, float)) else None


def predicted_units(history: History) -> int:
    """Returns the number of predicted units, 1 if unknown; the recorded output layer may not be what predicts."""
    shape = model_facts(history).get("prediction_shape") or []
    return int(shape[-1]) if len(shape) > 1 and isinstance(shape[-1], int) else output_units(history) or 1


def output_is_plain(history: History) -> bool:
    """Whether the recorded output layer certainly makes the predictions, and its activation is the last one.

    A subclassed model may compute anything in its `call`; a last layer of an unknown class may hold an activation.
    """
    kind = str((model_facts(history).get("model") or {}).get("class") or "")
    shape_only = ("Flatten", "Reshape", "Dropout", "InputLayer")
    classes = [str(layer.get("class") or "") for layer in model_layers(history) if layer.get("class") not in shape_only]
    last = classes[-1] if classes else ""
    return kind in ("Sequential", "Functional") and last in (*PLAIN, "Activation", "Softmax", "ReLU")


def normalizes_inputs(history: History) -> bool | None:
    """Whether the model brings its inputs to a common scale itself; None if its layers are unknown."""
    for layer in model_layers(history):
        kind = str(layer.get("class") or "")
        if kind in TRANSPARENT and not layer.get("weights"):
            continue
        return kind not in PLAIN
    return None


@from_records
def variable_depths(history: History) -> NDArray[np.int64]:
    """Returns `[V]` the depth of each variable's layer from the input, in the order in which layers first appear."""
    depths: dict[str, int] = {}
    owners = [v.layer or v.name for v in variables(history)]
    return np.array([depths.setdefault(owner, len(depths)) for owner in owners], np.int64)


def disconnected_region(history: History, without: Bool, whole: Bool | None = None) -> str:
    """Returns where the disconnected variables lie among the trainable ones.

    Args:
        history: what was recorded.
        without: `[V]` which variables are disconnected.
        whole: `[V]` which variables to consider; the trainable ones by default.

    Returns:
        "all", "input side" (everything up to some depth), "output side", or "inside".
    """
    considered = trainable(history) if whole is None else whole
    if not (considered & ~without).any():
        return "all"
    depths = variable_depths(history)
    connected, disconnected = depths[considered & ~without], depths[considered & without]
    if disconnected.max() <= connected.min():  # equal: only the kernel of a layer, whose input is zero
        return "input side"
    return "output side" if disconnected.min() > connected.max() else "inside"


@from_records
def trainable_kernels(history: History) -> Bool:
    """Returns `[V]` which trainable variables are matrices; all trainable variables if there is no matrix."""
    kernels = np.array([len(v.shape) > 1 for v in variables(history)], bool) & trainable(history)
    return kernels if kernels.any() else trainable(history)


def layer_of(history: History, name: str) -> Bool:
    """Returns `[V]` which variables belong to the layer (or layer use) of that name."""
    return np.array([bool(v.layer) and _is_use_of(name, v.layer) for v in variables(history)], bool)


def _is_use_of(use: str, layer: str) -> bool:
    """Whether `use` names the layer, one of its uses ("dense#2", "dense (1)"), or the layer inside another model."""
    return layer == use or use.startswith((f"{layer}#", f"{layer} (", f"{layer}:")) or layer.endswith(f"/{use}")
