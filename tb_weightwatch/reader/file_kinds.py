"""Which paths in a log directory may be read: regular files, and links that do not lead out of it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field

from .launch import SkipCounts

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass
class ReadableFiles:
    """Decides which files and directories are read; what is not read is counted.

    Attributes:
        root: the log directory. It may be a link itself; links in it must not lead out of where it leads.
        follow_links: whether links are followed wherever they lead.
        skipped: gets what is not read, and why.
    """

    root: str
    follow_links: bool = False
    skipped: SkipCounts = field(default_factory=SkipCounts)

    def __post_init__(self) -> None:
        self._inside = os.path.realpath(self.root if os.path.isdir(self.root) else os.path.dirname(self.root) or ".")

    def may_read(self, path: str) -> bool:
        """Checks whether a path is a file that can be read to its end, within the log directory."""
        name = os.path.basename(path)
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            self.skipped.note(f"{name} cannot be read: {error.strerror or error}")
            return False
        if not stat.S_ISREG(mode):
            kind = next((words for is_kind, words in _KINDS if is_kind(mode)), "something else")
            self.skipped.note(f"{name} is not read: it is {kind}, not a file")
            return False
        return self.may_follow(path)

    def may_follow(self, path: str) -> bool:
        """Checks whether a path lies in the log directory, also after all links were followed."""
        if self.follow_links or path == self.root or self.is_inside(path):
            return True
        self.skipped.note(
            f"{os.path.basename(path)} is not read: it is a link that leads out of the log directory "
            "(--follow-links, or the environment variable TB_WEIGHTWATCH_FOLLOW_LINKS=1, follows it)"
        )
        return False

    def is_inside(self, path: str) -> bool:
        """Checks whether a path lies in the log directory, also after all links were followed; counts nothing."""
        real = os.path.realpath(path)
        return real == self._inside or real.startswith(self._inside.rstrip(os.sep) + os.sep)


def readable_files(root: str, follow_links: bool | None, skipped: SkipCounts | None) -> ReadableFiles:
    """Returns what decides for a log directory.

    Args:
        root: the log directory.
        follow_links: whether links that lead out of it are followed; None: as the environment variable
            TB_WEIGHTWATCH_FOLLOW_LINKS says (1: they are).
        skipped: gets what is not read.
    """
    if follow_links is None:
        follow_links = os.environ.get("TB_WEIGHTWATCH_FOLLOW_LINKS") == "1"
    return ReadableFiles(root, follow_links, SkipCounts() if skipped is None else skipped)
