"""Statistics of tensors on a device (GPU, TPU), computed by TensorFlow where the tensors are, eager or in a graph."""

from .batches import batch_numbers, flat_tensors
from .chunks import CHUNK_SIZE
from .gradients import cosine, dense, gradient_elements, is_measured_by_rows, sample, sample_of_flat
from .layers import dead_units, layer_numbers
from .sparse import unique_rows
from .variables import change_numbers, gradient_numbers, in_order, norm, row_gradient_numbers

__all__ = [
    "CHUNK_SIZE",
    "batch_numbers",
    "change_numbers",
    "cosine",
    "dead_units",
    "dense",
    "flat_tensors",
    "gradient_elements",
    "gradient_numbers",
    "in_order",
    "is_measured_by_rows",
    "layer_numbers",
    "norm",
    "row_gradient_numbers",
    "sample",
    "sample_of_flat",
    "unique_rows",
]
