"""Converts third-party scalars and histograms to Histories."""

from .history import third_party_launches
from .tag_collector import MAX_MODEL, MAX_POINTS, MAX_SNAPSHOTS, TagCollector
from .tag_names import histogram_kind, is_evaluation, is_training, scalar_kind

__all__ = [
    "MAX_MODEL",
    "MAX_POINTS",
    "MAX_SNAPSHOTS",
    "TagCollector",
    "histogram_kind",
    "is_evaluation",
    "is_training",
    "scalar_kind",
    "third_party_launches",
]
