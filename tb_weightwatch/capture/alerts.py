"""Hands what is new in a diagnosis to the user's function, on training's own thread."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any

from ..actions import Alert, new_alerts
from ..verdict import Diagnosis
from .console_news import put
from .safe_warning import warn

OnVerdict = Callable[[Alert], Any]


def checked_action(on_verdict: Any) -> OnVerdict | None:
    """Returns the function that was given as `on_verdict`, or None.

    Raises:
        TypeError: it cannot be called, or it is a class.
    """
    if on_verdict is None:
        return None
    if isinstance(on_verdict, type):
        raise TypeError(
            f"on_verdict must be a function or an object, as ww.{on_verdict.__name__}(); got the class itself"
        )
    if not callable(on_verdict):
        raise TypeError(
            "on_verdict must be a function of one ww.Alert, such as ww.StopTraining() or print; "
            f"got {type(on_verdict).__name__}"
        )
    return on_verdict  # type: ignore[no-any-return]


class Alerts:
    """Collects alerts where a diagnosis is made, and delivers them between two steps.

    Diagnoses are made beside training, but the user's function is called on training's thread, since it may stop the
    training, or raise an error in it. An OSError of that function, such as that of a notification that cannot be sent,
    is told once and does not end the training; any other exception is meant to.

    Args:
        on_verdict: the user's function; None: nothing is delivered.

    Attributes:
        waiting: the alerts that wait for `deliver`; each step looks at it.
        stopped_by: for what the training is to end, "501 learning-rate-zero"; "" if it is not.
    """

    def __init__(self, on_verdict: OnVerdict | None) -> None:
        self._on_verdict = on_verdict
        self._known: set[tuple[str, ...]] = set()
        self._has_failed = False
        self._is_over = False  # nothing is left to stop
        self.waiting: deque[Alert] = deque()
        self.stopped_by = ""

    def begin_training(self) -> None:
        """Notes that training begins, or goes on after an end: that it was to stop holds no longer."""
        self.stopped_by, self._is_over = "", False

    def end_training(self) -> None:
        """Notes that training has ended: an alert that comes with its end stops nothing, and nobody is told so."""
        self._is_over = True

    def update(self, diagnosis: Diagnosis, run: str) -> None:
        """Takes a diagnosis of a run, by its folder; what is new in it waits for `deliver`."""
        if self._on_verdict is not None:
            self.waiting.extend(new_alerts(diagnosis, self._known, run, self._stop))

    def deliver(self) -> None:
        """Calls the user's function for each alert that waits. Raises what it raises, but for an OSError."""
        while self.waiting and self._on_verdict is not None:
            alert = self.waiting.popleft()
            try:
                self._on_verdict(alert)
            except OSError as error:
                self._tell(error)

    def _stop(self, title: str, reason: str) -> None:
        if not self.stopped_by and not self._is_over:
            self.stopped_by = title
            with contextlib.suppress(Exception):  # standard error may be closed
                put(f"training is stopped, as {self._on_verdict!r} asks: {reason}.")

    def _tell(self, error: OSError) -> None:
        if not self._has_failed:
            self._has_failed = True
            warn(
                f"on_verdict={self._on_verdict!r} failed ({type(error).__name__}: {error}); training goes on, and "
                "later failures of it are not told"
            )
