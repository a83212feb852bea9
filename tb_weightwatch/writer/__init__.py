"""Writes what a launch records, as Summary messages handed to a sink; by default an event file of our own."""

from .event_writer import EventWriter
from .queued_sink import QueuedSink
from .sinks import Sink, directory_sink
from .standard_summaries import MOST_HISTOGRAMS, StandardSummaries, SummarySettings

__all__ = [
    "MOST_HISTOGRAMS",
    "EventWriter",
    "QueuedSink",
    "Sink",
    "StandardSummaries",
    "SummarySettings",
    "directory_sink",
]
