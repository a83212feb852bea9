"""Converts third-party scalars and histograms to Histories."""

from .alike_records import AlikeRecords
from .event_heads import event_heads
from .history import third_party_launches
from .metric_directories import latest_checkpoints, metric_files
from .metric_files import is_metric_file, read_metric_file
from .tag_collector import MAX_MODEL, MAX_POINTS, MAX_SNAPSHOTS, TagCollector
from .tag_names import histogram_kind, is_evaluation, is_training, scalar_kind
from .validation_runs import VALIDATION, add_validation, validation_halves

__all__ = [
    "MAX_MODEL",
    "MAX_POINTS",
    "MAX_SNAPSHOTS",
    "VALIDATION",
    "AlikeRecords",
    "TagCollector",
    "add_validation",
    "event_heads",
    "histogram_kind",
    "is_evaluation",
    "is_metric_file",
    "is_training",
    "latest_checkpoints",
    "metric_files",
    "read_metric_file",
    "scalar_kind",
    "third_party_launches",
    "validation_halves",
]
