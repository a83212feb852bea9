"""Answers that all who ask share: each is computed once, and one that took long is used for a while."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from typing import NamedTuple

from ..reader import SharedResults

CHEAP = 0.025  # seconds of work; an answer that takes less is computed again for the next request
REST = 4  # an answer is used this many times as long as it took, so it takes a fifth of a processor at most
MAX_AGE = 5.0  # seconds that an answer is used, at most
MAX_BYTES = 1 << 25  # of kept answers


class Answer(NamedTuple):
    """The answer to a request.

    Attributes:
        body: compressed JSON.
        etag: changes when the body does.
        complete: the next request does not get more of it, as one does where the time of this one ran out.
    """

    body: bytes
    etag: str
    complete: bool = True


class _Kept(NamedTuple):
    """A kept answer; times are monotonic seconds.

    Attributes:
        answer: the answer.
        fresh_until: until then it is used.
        usable_until: until then it is used while it is computed anew.
    """

    answer: Answer
    fresh_until: float
    usable_until: float


class SharedAnswers:
    """Answers by key. The key must hold everything that the answer depends on; safe for threads.

    Many clients that ask for the same cost as much as one. No lock is held while an answer is computed. An answer that
    fails is not kept.

    Args:
        clock: returns monotonic seconds.
        work: returns the seconds that this thread has worked.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, work: Callable[[], float] = time.thread_time
    ) -> None:
        self._clock, self._work = clock, work
        self._shared = SharedResults[Answer]()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, compute: Callable[[], Answer]) -> Answer:
        """Returns the answer: the kept one, the one that another thread is computing, or that of `compute`."""
        kept, now = self._kept.get(key), self._clock()
        if kept is not None and (now < kept.fresh_until or (now < kept.usable_until and self._shared.is_running(key))):
            return kept.answer
        return self._shared.get(key, partial(self._computed, key, compute))

    def _computed(self, key: Hashable, compute: Callable[[], Answer]) -> Answer:
        kept = self._kept.get(key)
        if kept is not None and self._clock() < kept.fresh_until:  # computed between the look and the turn
            return kept.answer
        worked = self._work()
        answer = compute()
        worked = self._work() - worked
        with self._lock:
            self._kept.pop(key, None)
            if answer.complete and worked > CHEAP:
                now = self._clock()
                self._kept[key] = _Kept(answer, now + min(REST * worked, MAX_AGE), now + MAX_AGE)
            while sum(len(kept.answer.body) for kept in self._kept.values()) > MAX_BYTES:
                self._kept.popitem(last=False)
        return answer
