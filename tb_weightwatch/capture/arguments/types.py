"""The types of public arguments, by the names that signatures show. They are strings: nothing is imported for them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, SupportsIndex, TypeAlias

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import keras
    import numpy as np
    import tensorflow as tf
    from numpy.typing import ArrayLike, NDArray

    from ...statistics.change import NotObserved


class SummaryWriter(Protocol):
    """A `tf.summary` writer. To type checkers TensorFlow's class is Any, which would accept everything."""

    def as_default(self) -> AbstractContextManager[object]:
        """Makes this the default writer inside a block."""

    def flush(self) -> object:
        """Makes what was written readable."""


LogDir: TypeAlias = "str | os.PathLike[str] | SummaryWriter"
Model: TypeAlias = "keras.Model | keras.layers.Layer"
Optimizer: TypeAlias = "keras.optimizers.Optimizer"
Variable: TypeAlias = "keras.Variable | tf.Variable"
# As `model.compile` takes it: a name, a function, a Keras loss, or one for each output.
Loss: TypeAlias = "str | Callable[..., object] | keras.losses.Loss | Mapping[str, Loss] | Sequence[Loss]"
Array: TypeAlias = "NDArray[np.generic] | tf.Tensor | tf.Variable | keras.Variable"
# A batch, or a structure of batches. Under `tf.distribute` each may have a part for each replica.
Batch: TypeAlias = (
    "float | Array | tf.RaggedTensor | tf.SparseTensor | tf.distribute.DistributedValues"
    " | Sequence[Batch] | Mapping[str, Batch]"
)
Data: TypeAlias = "Batch | tf.data.Dataset"
LossValue: TypeAlias = "float | np.number | Array | Sequence[LossValue]"
Gradient: TypeAlias = "Array | float | tf.IndexedSlices | tf.distribute.DistributedValues | None"
Gradients: TypeAlias = "Iterable[tuple[Gradient, Variable]] | Iterable[Gradient]"


class Slices(Protocol):
    """A gradient of some rows: `tf.IndexedSlices` and its like."""

    @property
    def indices(self) -> ArrayLike:
        """`[k]` the rows."""

    @property
    def values(self) -> ArrayLike:
        """`[k, ...]` their gradients, which add up where a row occurs repeatedly."""


GradientArray: TypeAlias = "ArrayLike | Slices | NotObserved | None"
WholeNumber: TypeAlias = "SupportsIndex | ArrayLike"
# Names or patterns of variables, or each with its steps (None: whenever maps are recorded).
TensorRequests: TypeAlias = "str | Iterable[str] | Mapping[str, int | Iterable[int] | None]"
