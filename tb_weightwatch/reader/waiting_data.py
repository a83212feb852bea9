"""Data of a launch that are not decoded yet, by kind and number."""

from __future__ import annotations

import math

from ..schema import Tag, status_time

_COPIES = 3  # of a datum: one that was interrupted or damaged may have been written again


class WaitingData:
    """Keeps the last copies of each datum. Of a status, which is written again and again, those that are latest."""

    def __init__(self) -> None:
        self._copies: dict[str, dict[int, list[bytes]]] = {"header": {}, "rows": {}, "maps": {}, "now": {}}
        self._status_times: list[float] = []  # of the copies of the status, from the second copy on

    def has(self, tag: Tag) -> bool:
        """Checks whether a datum of this tag waits."""
        return tag.number in self._copies[tag.kind]

    def put(self, tag: Tag, data: bytes) -> int:
        """Adds a datum; returns by how many bytes the waiting data grew."""
        copies = self._copies[tag.kind].setdefault(tag.number, [])
        if tag.kind == "now":
            return self._put_status(data, tag, copies)
        copies.append(data)
        return len(data) - (len(copies.pop(0)) if len(copies) > _COPIES else 0)

    def _put_status(self, data: bytes, tag: Tag, copies: list[bytes]) -> int:
        """Adds a status at its place among the copies: events may be read in another order than they were written."""
        if not copies:
            copies.append(data)
            return len(data)
        time, times = status_time(data, str(tag)), self._status_times
        if len(copies) == 1:
            times[:] = [status_time(copies[0], str(tag))]
        if time == math.inf and math.inf in times:  # one that is damaged is enough to tell so
            return 0
        place = len(times)
        while place and times[place - 1] > time > 0:
            place -= 1
        times.insert(place, time)
        copies.insert(place, data)
        if len(copies) <= _COPIES:
            return len(data)
        times.pop(0)
        return len(data) - len(copies.pop(0))

    def numbers(self, kind: str) -> list[int]:
        """Returns the numbers of the data of a kind, increasing."""
        return sorted(self._copies[kind])

    def size(self, kind: str, number: int) -> int:
        """Returns the size of the largest copy in bytes."""
        return max(map(len, self._copies[kind][number]))

    def taken(self, kind: str, number: int) -> list[bytes]:
        """Returns the copies of a datum, the latest one last, and removes them."""
        if kind == "now":
            self._status_times = []
        return self._copies[kind].pop(number)
