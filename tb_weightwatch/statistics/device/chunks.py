"""Large tensors are measured slice by slice, so that what is needed on the way is that of one slice.

A measurement gives numbers of a piece; here those of all pieces become those of the whole: counts exactly, sizes
without overflow, the spread by the parallel formula, in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

SLICE = 1 << 20  # elements
Tensors = dict[str, Any]
Numbers = dict[str, Any]


def sliced(measure: Callable[[Tensors], Numbers], tensors: Tensors) -> Numbers:
    """Returns `measure(tensors)`, numbers by name, slice by slice where tensors have more than `SLICE` elements.

    All tensors have one size. Names that end in "_norm" and "_max" are sizes, "_mean" and "_std" belong together, all
    others are counts. Tensors whose size is not known while tracing are measured at once.
    """
    size = next(iter(tensors.values())).shape.num_elements()
    if size is None or size <= SLICE:
        return measure(tensors)
    flat = {name: tf.reshape(x, [-1]) for name, x in tensors.items()}
    names: list[str] = []

    def piece(begin: Any, count: int) -> Any:
        found = measure({name: tf.slice(x, [begin], [count]) for name, x in flat.items()})
        names[:] = found
        return tf.stack([tf.cast(value, tf.float64) for value in found.values()])

    whole, rest = divmod(size, SLICE)
    # One after the other: slices side by side would need the memory of several.
    rows = tf.map_fn(
        lambda i: piece(i * SLICE, SLICE),
        tf.range(whole, dtype=tf.int64),
        fn_output_signature=tf.float64,
        parallel_iterations=1,
    )
    sizes = [SLICE] * whole
    if rest:
        rows, sizes = tf.concat([rows, piece(whole * SLICE, rest)[None]], 0), [*sizes, rest]
    return combined({name: rows[:, i] for i, name in enumerate(names)}, np.array(sizes, np.float64))


def combined(pieces: Numbers, sizes: np.ndarray[Any, Any]) -> Numbers:
    """Returns the whole's numbers from those of pieces, `[n]` each, that have these many elements."""
    found: Numbers = {}
    for name, values in pieces.items():
        if name.endswith("_norm"):
            found[name] = _hypot(values)
        elif name.endswith("_max"):
            found[name] = _largest(values)
        elif name.endswith("_mean"):
            stem = name.removesuffix("_mean")
            found[name], found[f"{stem}_std"] = _spread(values, pieces[f"{stem}_std"], sizes / sizes.sum())
        elif not name.endswith("_std"):
            found[name] = tf.reduce_sum(values)  # float64 counts exactly
    return found


def _largest(values: Any) -> Any:
    odd = tf.reduce_any(tf.math.is_nan(values))
    return tf.where(odd, tf.constant(np.nan, tf.float64), tf.reduce_max(values))


def _hypot(values: Any) -> Any:
    """Returns the norm of non-negative numbers."""
    top = _largest(values)
    usual = tf.math.is_finite(top) & (top > 0)
    size = top * tf.sqrt(tf.reduce_sum(tf.square(values / tf.where(usual, top, tf.ones_like(top)))))
    return tf.where(usual, tf.minimum(size, np.float64(np.finfo(np.float64).max)), top)


def _spread(means: Any, deviations: Any, weights: Any) -> tuple[Any, Any]:
    """Returns mean and standard deviation; around the first piece's mean, so that equal elements give exactly 0."""
    off = means - means[0]
    shift = tf.reduce_sum(off * weights)
    parts = tf.concat([deviations, tf.abs(off - shift)], 0) * np.sqrt(np.tile(weights, 2))
    return means[0] + shift, _hypot(parts)
