"""How much the launches of a run may still hold together."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..schema import ARRAY_BYTES_PER_BYTE, FREE_ARRAY_BYTES, ValueBudget


@dataclass
class CellBudget:
    """How many values of rows the launches of a run may still hold together; `limit` at first."""

    limit: int
    left: int


@dataclass
class ArrayBudget:
    """How many bytes of arrays the launches of a run may still hold together: the more, the larger its files are.

    Attributes:
        left: how many.
        refused: whether there were not enough once.
    """

    left: int = FREE_ARRAY_BYTES
    refused: bool = False

    def earn(self, read: int) -> None:
        """Raises the bound by what so many bytes of data may hold."""
        self.left += ARRAY_BYTES_PER_BYTE * read

    def take(self, size: int) -> bool:
        """Takes so many bytes; returns False if there are not so many left."""
        if size > self.left:
            self.refused = True
            return False
        self.left -= size
        return True


@dataclass
class RunBudgets:
    """What is left to the launches of a run: values of dated records, values of rows, and bytes of arrays."""

    cells: CellBudget
    records: ValueBudget = field(default_factory=ValueBudget)
    arrays: ArrayBudget = field(default_factory=ArrayBudget)
