"""Variables of one shape are measured together: a thousand small ones cost the operations of one.

Tracing, compiling and launching go by operations, and a network has many variables but few shapes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from . import _slices
from ._numpy import UNSEEN


class Change(NamedTuple):
    """What one step did to one variable.

    Attributes:
        gradient: tensor, IndexedSlices, None (backpropagation gave none), or `_numpy.UNSEEN`.
        before: weight before the step, or None.
        after: weight after the step.
        raw: unscaled gradient before clipping, where it is not the one used; or None; or UNSEEN.
    """

    gradient: Any
    before: Any
    after: Any
    raw: Any = None


class Group(NamedTuple):
    """Some of a list of changes.

    Attributes:
        places: in the list.
        change: theirs; tensors are `[n, elements]` where `axis` is -1.
        axis: None: it is of one variable, as it came.
    """

    places: tuple[int, ...]
    change: Change
    axis: int | None


def grouped(changes: list[Change]) -> list[Group]:
    """Returns the changes in groups, none of which has more than a slice's elements unless it is of one variable."""
    kinds: dict[Any, list[int]] = {}
    for place, change in enumerate(changes):
        kinds.setdefault(_kind(change) or place, []).append(place)
    groups = []
    for places in kinds.values():
        most = max(1, _slices.SLICE // max(1, changes[places[0]].after.shape.num_elements() or 1))
        groups += [_group(changes, places[i : i + most]) for i in range(0, len(places), most)]
    return groups


def _kind(change: Change) -> Any:
    """Returns what changes must share to be measured together; None: by itself."""
    parts = [part for part in change if part is not None and part is not UNSEEN]
    if any(not isinstance(part, tf.Tensor) or part.shape != change.after.shape for part in parts):
        return None
    shape = change.after.shape
    if not shape.is_fully_defined() or shape.num_elements() > _slices.SLICE // 2:
        return None
    return (tuple(shape), *(getattr(part, "dtype", part) for part in change))


def _group(changes: list[Change], places: list[int]) -> Group:
    chosen = [changes[i] for i in places]
    if len(chosen) == 1:
        return Group(tuple(places), chosen[0], None)
    size = chosen[0].after.shape.num_elements()
    parts = [
        tf.reshape(tf.stack(part), [len(part), size]) if isinstance(part[0], tf.Tensor) else part[0]
        for part in zip(*chosen, strict=True)
    ]
    return Group(tuple(places), Change(*parts), -1)
