"""The batches that experiments train on, and the samples that they look at."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..capture.observe import sample_count, selected_samples
from .dependence import MOST_SAMPLES

MOST_BATCHES = 4  # of a trial
_MOST_SAMPLED_BATCHES = 32  # that are read for their samples only
_MOST_BYTES = 64 * 2**20  # of these samples


def batches_of(x: Any, y: Any, batches: Iterable[Any] | None, batch_size: int) -> list[Any]:
    """Returns a few batches as `model.train_step` gets them: tensors, in a tuple if there are targets.

    Samples of arrays are drawn without regard to their order, so that sorted data do not give batches of one class.

    Raises:
        TypeError: `batch_size` is no whole number.
        ValueError: there are none, or `x` and `y` differ in length.
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)):
        raise TypeError(f"batch_size must be a whole number, got {batch_size!r}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, got {batch_size}")
    if batches is not None and iter(batches) is batches:
        raise ValueError("batches must be a list or a dataset, not an iterator, whose batches training would lose")
    if batches is not None:
        taken = [tuple(batch) if isinstance(batch, list) else batch for batch in islice(batches, MOST_BATCHES)]
    elif isinstance(x, tf.data.Dataset):
        taken = list(x.take(MOST_BATCHES))
    elif x is None:
        raise ValueError("x must be given, or batches= together with step_fn=")
    else:
        taken = _from_arrays(x, y, batch_size)
    if not taken:
        raise ValueError("there must be at least one batch, got none")
    return taken


def _from_arrays(x: Any, y: Any, batch_size: int) -> list[Any]:
    order = np.random.default_rng(0).permutation(sample_count(x, y))[: MOST_BATCHES * batch_size]
    groups = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    groups = [group for group in groups if len(group) == len(groups[0])]
    return [
        keras.utils.pack_x_y_sample_weight(selected_samples(x, group), selected_samples(y, group)) for group in groups
    ]


def samples_of(x: Any, y: Any, batches: Iterable[Any] | None) -> tuple[Any, Any] | None:
    """Returns up to 1,024 inputs and labels as arrays, drawn from arrays or from the first batches of a dataset."""
    if isinstance(x, (np.ndarray, tf.Tensor)) and isinstance(y, (np.ndarray, tf.Tensor)):
        order = np.random.default_rng(1).permutation(len(x))[:MOST_SAMPLES]
        return np.asarray(x)[order], np.asarray(y)[order]
    pairs = _first_batches(x if batches is None else batches)
    if not pairs:
        return None
    if len({(np.shape(inputs)[1:], np.shape(labels)[1:]) for inputs, labels in pairs}) > 1:
        return None
    inputs, labels = (np.concatenate([np.asarray(pair[i]) for pair in pairs])[:MOST_SAMPLES] for i in (0, 1))
    return inputs, labels


def _first_batches(batches: Any) -> list[Any]:
    """Returns inputs and targets of the first batches, until these are 1,024 samples or 64 MiB; [] if not arrays."""
    if not isinstance(batches, (list, tuple, tf.data.Dataset)):
        return []
    pairs: list[Any] = []
    count = size = 0
    for batch in islice(batches, _MOST_SAMPLED_BATCHES):
        arrays = tuple(batch[:2]) if isinstance(batch, (list, tuple)) else ()
        if len(arrays) < 2 or not all(isinstance(a, (tf.Tensor, np.ndarray)) and len(a.shape) for a in arrays):
            return []
        pairs.append(arrays)
        count += len(arrays[0])
        size += sum(map(_bytes, arrays))
        if count >= MOST_SAMPLES or size >= _MOST_BYTES:
            break
    return pairs


def _bytes(array: Any) -> int:
    dtype = array.dtype
    return int(np.prod(array.shape)) * int(dtype.itemsize if isinstance(array, np.ndarray) else dtype.size)
