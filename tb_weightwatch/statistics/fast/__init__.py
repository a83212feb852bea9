"""The statistics in numpy and float32, for arrays in the host's memory: one pass, in pieces that fit the cache.

What float32 cannot represent on the way (NaN, infinities, squares beyond its range, a variance that cancels) is
measured again by the float64 reference, which is exact and slow.
"""

from .batches import batch_statistics
from .layers import layer_statistics
from .small_variables import SMALL, small_statistics
from .variables import sample, variable_statistics

__all__ = [
    "SMALL",
    "batch_statistics",
    "layer_statistics",
    "sample",
    "small_statistics",
    "variable_statistics",
]
