"""From what TensorBoard stores to Histories: by a data provider (plugin), or from event files (command line)."""

from .assembly import Launch, RunAssembler, SkipCounts
from .event_files import launches, read
from .no_tensorflow import read_without_tensorflow
from .provider.provider_reader import ProviderReader
from .provider.run_cache import CachedRun
from .run_directories import runs, size

__all__ = [
    "CachedRun",
    "Launch",
    "ProviderReader",
    "RunAssembler",
    "SkipCounts",
    "launches",
    "read",
    "read_without_tensorflow",
    "runs",
    "size",
]
