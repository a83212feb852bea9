"""Large tensors are measured chunk by chunk, so that intermediate tensors have the size of one chunk.

The numbers of the chunks are merged into those of the whole tensor in float64: counts exactly, norms without overflow,
the standard deviation by the parallel formula.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

CHUNK_SIZE = 1 << 20  # elements
Tensors = dict[str, Any]
Numbers = dict[str, Any]


def in_chunks(measure: Callable[[Tensors], Numbers], tensors: Tensors) -> Numbers:
    """Returns `measure(tensors)`, numbers by name; chunk by chunk if the tensors are larger than `CHUNK_SIZE`.

    Numbers are merged by their names: "..._norm" and "..._max" are sizes, "..._mean" and "..._std" belong together, all
    others are counts. Tensors whose size is not known while tracing are measured at once.

    Args:
        measure: gives the numbers of some tensors.
        tensors: by name, all of the same size.
    """
    size = next(iter(tensors.values())).shape.num_elements()
    if size is None or size <= CHUNK_SIZE:
        return measure(tensors)
    flat = {name: tf.reshape(x, [-1]) for name, x in tensors.items()}
    names: list[str] = []

    def measure_chunk(begin: Any, length: int) -> Any:
        numbers = measure({name: tf.slice(x, [begin], [length]) for name, x in flat.items()})
        names[:] = numbers
        return tf.stack([tf.cast(value, tf.float64) for value in numbers.values()])

    full_chunks, remainder = divmod(size, CHUNK_SIZE)
    # One after the other: several at the same time would need the memory of several.
    rows = tf.map_fn(
        lambda i: measure_chunk(i * CHUNK_SIZE, CHUNK_SIZE),
        tf.range(full_chunks, dtype=tf.int64),
        fn_output_signature=tf.float64,
        parallel_iterations=1,
    )
    sizes = [CHUNK_SIZE] * full_chunks
    if remainder:
        rows = tf.concat([rows, measure_chunk(full_chunks * CHUNK_SIZE, remainder)[None]], 0)
        sizes = [*sizes, remainder]
    return merge_chunks({name: rows[:, i] for i, name in enumerate(names)}, np.array(sizes, np.float64))


def merge_chunks(numbers: Numbers, sizes: np.ndarray[Any, Any]) -> Numbers:
    """Returns the numbers of the whole tensor from those of its chunks, `[n]` each, which have `sizes` `[n]`."""
    merged: Numbers = {}
    for name, values in numbers.items():
        if name.endswith("_norm"):
            merged[name] = _hypot(values)
        elif name.endswith("_max"):
            merged[name] = _largest(values)
        elif name.endswith("_mean"):
            std = f"{name.removesuffix('_mean')}_std"
            merged[name], merged[std] = _mean_and_std(values, numbers[std], sizes / sizes.sum())
        elif not name.endswith("_std"):
            merged[name] = tf.reduce_sum(values)  # float64 counts exactly
    return merged


def _largest(values: Any) -> Any:
    has_nan = tf.reduce_any(tf.math.is_nan(values))
    return tf.where(has_nan, tf.constant(np.nan, tf.float64), tf.reduce_max(values))


def _hypot(values: Any) -> Any:
    """Returns the norm of non-negative numbers."""
    top = _largest(values)
    usable = tf.math.is_finite(top) & (top > 0)
    norm = top * tf.sqrt(tf.reduce_sum(tf.square(values / tf.where(usable, top, tf.ones_like(top)))))
    return tf.where(usable, tf.minimum(norm, np.float64(np.finfo(np.float64).max)), top)


def _mean_and_std(means: Any, stds: Any, weights: Any) -> tuple[Any, Any]:
    """Returns mean and standard deviation; around the mean of the first chunk, so that equal elements give exactly 0.

    Args:
        means: `[n]` of the chunks.
        stds: `[n]` of the chunks.
        weights: `[n]` shares of elements, which add up to 1.
    """
    offsets = means - means[0]
    mean_offset = tf.reduce_sum(offsets * weights)
    deviations = tf.concat([stds, tf.abs(offsets - mean_offset)], 0) * np.sqrt(np.tile(weights, 2))
    return means[0] + mean_offset, _hypot(deviations)
