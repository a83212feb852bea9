"""A run whose event files are still being written, read again and again: each time only what is new."""

from __future__ import annotations

import os
from itertools import islice
from typing import Any

from .. import schema
from .assembly import RunAssembler
from .event_records import FRAME, put_record, records_before_oversized
from .file_kinds import readable_files
from .launch import Launch, SkipCounts
from .run_directories import event_files
from .third_party import TagCollector
from .third_party_logs import read_third_party


class GrowingRun:
    """A run directory that is read as its files grow.

    What cannot be read is skipped, and so is a record that has not been written completely; it is read when it is
    complete. If a file was replaced or became shorter, or some were deleted, the run is read anew; if all were
    deleted, what was read of them stays.

    Args:
        directory: the run directory, or an event file.
        root: the log directory out of which links must not lead; "": `directory`.
    """

    def __init__(self, directory: str, root: str = "") -> None:
        self.directory = directory
        self._root = root or directory
        self._readable = readable_files(self._root, None, None)
        self._start()

    def _start(self) -> None:
        own = os.path.join(self.directory, schema.PLUGIN)
        self._assemblers = {directory: RunAssembler() for directory in (self.directory, own)}
        self._files: dict[str, _GrowingFile] = {}

    def read(self) -> bool:
        """Reads what is new in event files; returns whether there was any."""
        self._readable = readable_files(self._root, None, SkipCounts())
        present = {path: directory for directory in self._assemblers for path in event_files(directory, self._readable)}
        deleted = bool(present) and not self._files.keys() <= present.keys()
        if deleted or any(file.was_replaced() for file in self._files.values()):
            self._start()
        changed = False
        for path, directory in present.items():
            file = self._files.setdefault(path, _GrowingFile(path))
            changed |= file.read(self._assemblers[directory])
        return changed

    def launches(self) -> list[Launch]:
        """Returns the launches as far as they were read, oldest first."""
        launches = [launch for assembler in self._assemblers.values() for launch in assembler.launches()]
        if not launches:  # text files, and the validation half of a Keras log, are short and are read as a whole
            collectors = [file.collector for file in self._files.values()]
            within = self._root != self.directory
            launches = read_third_party(self.directory, collectors, self._readable, within=within)
        return sorted(launches, key=lambda launch: (launch.history.started, launch.history.launch))

    @property
    def skipped(self) -> SkipCounts:
        """What could not be read and belongs to no launch."""
        counts = SkipCounts(self._readable.skipped)
        for assembler in self._assemblers.values():
            counts.note_all(assembler.skipped)
        for file in self._files.values():
            if file.fault:
                counts.note(file.fault)
        return counts


class _GrowingFile:
    """An event file, and how far it was read.

    Attributes:
        collector: what it holds that is not ours.
        fault: why it cannot be read; "" if it can.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.collector = TagCollector()
        self.fault = ""
        self._loader: Any = None
        self._position = 0  # bytes of the records that were read
        self._size = -1  # when it was last read; -1: never
        self._identity: tuple[int, int] | None = None

    def was_replaced(self) -> bool:
        """Checks whether it is not the file any more that was read, or has become shorter."""
        try:
            status = os.stat(self.path)
        except OSError:  # deleted, or its disk is away: what was read stays
            return False
        identity = (status.st_dev, status.st_ino)
        return self._identity is not None and (identity != self._identity or status.st_size < self._position)

    def read(self, assembler: RunAssembler) -> bool:
        """Puts the new records into the assembler or the collector; returns whether there were any."""
        before = self._position
        try:
            if "://" not in self.path:
                status = os.stat(self.path)
                self._identity = (status.st_dev, status.st_ino)
                if status.st_size == self._size:
                    return False
                self._size = status.st_size
            self._load(assembler)
            self.fault = ""
        except Exception as error:  # the errors of TensorFlow and of the operating system have no common base
            self.fault = f"{os.path.basename(self.path)} cannot be read: {error or type(error).__name__}"
        return self._position > before

    def _load(self, assembler: RunAssembler) -> None:
        from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

        if self._loader is None:
            self._loader = RawEventFileLoader(self.path)
        for record in islice(self._loader.Load(), records_before_oversized(self.path, self._position)):
            self._position += len(record) + FRAME
            put_record(record, assembler, self.collector)
