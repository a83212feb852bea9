"""The log directory that a server may read, and nothing outside it."""

from __future__ import annotations

import os

from ...history import nearest
from ...reader import Launch, SkipCounts, launches, runs


class LogDirectory:
    """The runs of a log directory. A run is asked for by its name below it, never by a path.

    A directory or event file that a link leads to is read only if it lies in the log directory itself.

    Args:
        path: the log directory.

    Raises:
        NotADirectoryError: it is no local directory.
    """

    def __init__(self, path: str) -> None:
        if not os.path.isdir(path):
            raise NotADirectoryError(f"expected a local log directory, got {path!r}")
        self._root = os.path.realpath(path)

    def runs(self) -> dict[str, str]:
        """Returns the directory of each run by its name, without those that a link leads out of the log directory."""
        return {
            name: directory for name, directory in runs(self._root, follow_links=False) if self._is_inside(directory)
        }

    def launches(self, run: str) -> list[Launch]:
        """Returns the launches of a run, oldest first, as they are now.

        Raises:
            ValueError: there is no such run in the log directory, or nothing of it can be read.
        """
        known = self.runs()
        if run not in known:
            raise ValueError(f"there is no run {run!r} in the log directory; {nearest(run, list(known))}")
        skipped = SkipCounts()
        run_launches = launches(known[run], skipped, root=self._root, follow_links=False)
        if not run_launches:
            raise ValueError(f"nothing of the run {run!r} can be read: {skipped}")
        return run_launches

    def launch(self, run: str, launch: str = "") -> Launch:
        """Returns a launch of a run; "": the newest.

        Raises:
            ValueError: there is no such run or launch.
        """
        run_launches = self.launches(run)
        if not launch:
            return run_launches[-1]
        by_name = {each.history.launch: each for each in run_launches}
        if launch not in by_name:
            raise ValueError(f"the run {run!r} has no launch {launch!r}; {nearest(launch, list(by_name))}")
        return by_name[launch]

    def _is_inside(self, directory: str) -> bool:
        """Checks that a run's directory and all files that would be read of it lie in the log directory."""
        paths = [directory, *self._files(directory), *self._files(os.path.join(directory, "weightwatch"))]
        real = (os.path.realpath(path) for path in paths)
        return all(path == self._root or path.startswith(self._root.rstrip(os.sep) + os.sep) for path in real)

    @staticmethod
    def _files(directory: str) -> list[str]:
        names = os.listdir(directory) if os.path.isdir(directory) else []
        return [os.path.join(directory, name) for name in names]
