"""From what a step showed to rows and arrays: the same for `model.fit` and for loops of one's own."""

from __future__ import annotations

import time
from typing import Any

from ..maps import TENSORS, Map, side
from ..statistics._maps import variable_maps
from ..statistics._numpy import UNSEEN
from ..statistics._quick import Change, Rows, dense
from ._mapping import Plan
from ._meter import Meter, Reading, host
from ._pending import Layout, Pending
from ._recorder import Recorder


class Steps:
    """Measures steps as they come; their rows wait until `collect`, since what is on a device takes time.

    Args:
        recorder: gets the rows, and arrays of single variables where these are wanted.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder, self._meter, self._pending = recorder, Meter(), Pending()

    def take(self, step: int, reading: Reading) -> None:
        """Measures one step."""
        self._pending.add(step, Layout(reading.variables, tuple(reading.layers)), self._meter.parts(reading))
        plan = self._recorder.wanted.plan(step)
        if plan:
            began = time.perf_counter()
            self._recorder.keep(_arrays(reading, step, plan))
            if plan.due:
                self._recorder.wanted.took(step, time.perf_counter() - began)
        if self._pending.full:
            self.collect()

    def skip(self) -> None:
        """Says that a step is not recorded."""
        self._meter.forget()

    def collect(self) -> None:
        """Brings in the rows that wait."""
        for rows in self._pending.take():
            self._recorder.append(rows)


def _arrays(reading: Reading, step: int, plan: Plan) -> list[Map]:
    now, found = time.time(), []
    wanted = set(plan.chosen(reading.changes))
    for name, change in reading.changes.items():
        if plan.pictures:
            told = variable_maps(Change(*map(host, change[:3])), side(len(reading.changes)))
            found += [Map(step, name, kind, values, now) for kind, values in told.items()]
        if name in wanted:
            found += [Map(step, name, kind, host(value), now) for kind, value in _whole(change).items()]
    return found


def _whole(change: Change) -> dict[str, Any]:
    """Returns the tensors of a change by kind; what is not known is left out."""
    gradient = host(change.gradient)
    if isinstance(gradient, Rows):
        gradient = dense(gradient, change.after.shape)
    known = zip(TENSORS, (gradient, change.before, change.after), strict=True)
    return {kind: value for kind, value in known if value is not None and value is not UNSEEN}
