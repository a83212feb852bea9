"""What an attack on files has found."""

from __future__ import annotations

from typing import NamedTuple


class Counts(NamedTuple):
    """The counts of one attack.

    Attributes:
        attack: what was done, in a few words.
        tried: how often.
        survived: how often nothing was raised and nothing was shown that had not been recorded.
        lost: how often something was lost that had been recorded.
        told: in how many of those the loss was told.
        note: the first failure, or a figure.
    """

    attack: str
    tried: int = 0
    survived: int = 0
    lost: int = 0
    told: int = 0
    note: str = ""

    def plus(self, *, survived: bool, lost: bool = False, told: bool = False, note: str = "") -> Counts:
        """Returns the counts with one more try; the first note is kept."""
        return self._replace(
            tried=self.tried + 1,
            survived=self.survived + survived,
            lost=self.lost + lost,
            told=self.told + (lost and told),
            note=self.note or note,
        )
