"""What may happen to a training process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from .scene import Scene

MOMENT = 40  # the step after which most things happen


class CannotTry(Exception):
    """This machine cannot make the situation; the message says what is missing."""


@contextlib.contextmanager
def folder(scratch: Path) -> Iterator[Path]:
    """Yields a log directory on the disk."""
    yield scratch / "logs"


def nothing(scene: Scene, step: int = 0) -> None:
    """Does nothing."""


@dataclass(frozen=True)
class Situation:
    """What happens to a training process.

    Attributes:
        name: what happens, in a few words.
        place: makes and removes the log directory; raises `CannotTry`.
        before: is called before the training.
        at_step: is called after each step.
        after: is called when the training has ended by itself.
        recover: is called with the log directory when all trainings have ended, before it is read.
        kinds: the trainings that it can happen to.
        trainings: steps of the trainings in the same log directory.
        together: they run at the same time.
        pause: seconds between two steps.
        code: exit status of the process; negative: the signal that ends it.
        ends_by_error: the user's own exception ends the training, and the process goes on.
        fresh: the process is started afresh, since the end of the interpreter matters.
        abrupt: the process is ended without warning, so that the last rows may be missing.
        loses: what was written may be cut or gone in any event.
        quick: whether the test suite tries it.
    """

    name: str
    place: Callable[[Path], AbstractContextManager[Path]] = folder
    before: Callable[[Scene], None] = nothing
    at_step: Callable[[Scene, int], None] = nothing
    after: Callable[[Scene], None] = nothing
    recover: Callable[[Path], None] = lambda _: None
    kinds: tuple[str, ...] = ("fit", "loop", "summary")
    trainings: tuple[int, ...] = (120,)
    together: bool = False
    pause: float = 0.0
    code: int = 0
    ends_by_error: bool = False
    fresh: bool = False
    abrupt: bool = False
    loses: bool = False
    quick: bool = False


def at_moment(act: Callable[[Scene], None], moment: int = MOMENT) -> Callable[[Scene, int], None]:
    """Returns a function that acts after one step."""

    def at_step(scene: Scene, step: int) -> None:
        if step == moment:
            act(scene)

    return at_step
