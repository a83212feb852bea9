"""Reads runs as Histories: from event files (command line), or through a TensorBoard data provider (plugin)."""

from .assembly import RunAssembler
from .event_files import launches, read
from .growing_run import GrowingRun
from .launch import Launch, SkipCounts
from .no_tensorflow import read_without_tensorflow
from .provider import CachedRun, ProviderReader, SharedResults
from .run_directories import runs, size

__all__ = [
    "CachedRun",
    "GrowingRun",
    "Launch",
    "ProviderReader",
    "RunAssembler",
    "SharedResults",
    "SkipCounts",
    "launches",
    "read",
    "read_without_tensorflow",
    "runs",
    "size",
]
