"""The statistics in plain numpy and float64: exact and slow. The other implementations are tested against it."""

from .batches import batch_statistics
from .layers import layer_statistics
from .variables import cosine, feature_std, norm, sample, std, variable_statistics

__all__ = [
    "batch_statistics",
    "cosine",
    "feature_std",
    "layer_statistics",
    "norm",
    "sample",
    "std",
    "variable_statistics",
]
