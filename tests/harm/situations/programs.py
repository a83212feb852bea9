"""What the user's own program does."""

from __future__ import annotations

import warnings

from ..scene import Scene
from ..situation import Situation, at_moment

TWO_MONITORS = "two monitors of one model"


class UsersError(Exception):
    """An exception of the user's program."""


def _raise(scene: Scene) -> None:
    raise UsersError("of the user")


def _same_twice(scene: Scene) -> None:
    scene.same_twice = True


def _two(scene: Scene) -> None:
    scene.second = True


def _warnings_as_errors(scene: Scene) -> None:
    warnings.simplefilter("error")


SITUATIONS = (
    Situation("an exception of the user's", at_step=at_moment(_raise), ends_by_error=True, quick=True),
    Situation("the same callback twice", before=_same_twice, kinds=("fit",), quick=True),
    Situation(TWO_MONITORS, before=_two),
    Situation("warnings are errors", before=_warnings_as_errors),
)
