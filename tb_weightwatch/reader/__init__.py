"""From what TensorBoard stores to Histories: by a data provider (plugin), or from event files (command line)."""

from ._assembly import Assembly, Launch, Skipped
from ._directories import runs, size
from ._files import launches, read
from ._light import start_light
from ._provider import ProviderReader
from ._read_run import ReadRun

__all__ = [
    "Assembly",
    "Launch",
    "ProviderReader",
    "ReadRun",
    "Skipped",
    "launches",
    "read",
    "runs",
    "size",
    "start_light",
]
