"""The rows of a launch: blocks are decoded and appended to its History, several at once."""

from __future__ import annotations

from collections.abc import Sequence

from .. import schema
from ..history import Rows
from ..schema import MAX_LAUNCH_CELLS, CodedBlock, RowBlock
from .budgets import CellBudget
from .launch import Launch

_LARGER = 8  # how many times as many rows the following blocks may be expected to have as these have on average


class LaunchRows:
    """Appends blocks of rows to a launch.

    Args:
        launch: the launch.
        budget: of the values that all launches of its run may have together.

    Attributes:
        cells: values in its rows.
    """

    def __init__(self, launch: Launch, budget: CellBudget) -> None:
        self.cells = 0
        self._launch, self._budget = launch, budget
        self._end = 0  # rows before this index were read, or are known to be lost

    def append(self, blocks: Sequence[CodedBlock | None], following: int, last: CodedBlock | None) -> None:
        """Appends the next blocks in their order.

        Args:
            blocks: the blocks; None: one that could not be read.
            following: how many blocks will be appended after them.
            last: the last one of these; None if it could not be read.
        """
        history, accepted = self._launch.history, list[Rows]()
        readable = [block for block in blocks if block is not None]
        if len(readable) < len(blocks):
            history.complete = False
        last_step = int(history.steps[-1]) if len(history) else 0
        for block in schema.decode_row_blocks(readable):
            if not self._fits(block, last_step):
                history.complete = False
                continue
            if block.first != self._end:
                history.complete = False
            accepted.append(block.rows)
            last_step, self._end = int(block.rows.steps[-1]), block.first + len(block.rows)
            self._launch.add_unknown_columns(block.unknown_columns)
            self._launch.set_started(block.started)
        if accepted:
            history.extend(accepted, expected=self._expected_rows(accepted, following, last))

    def _expected_rows(self, accepted: Sequence[Rows], following: int, last: CodedBlock | None) -> int:
        """Returns how many rows the launch will have, within what these blocks and the bounds make plausible."""
        rows, known = sum(map(len, accepted)), last.first + len(last.rows) if last is not None else 0
        plausible = len(self._launch.history) + rows + _LARGER * following * rows // len(accepted)
        widths: dict[tuple[str, str], int] = {}  # of all columns, each as wide as it is in any of the blocks
        for block in accepted:
            for axis, columns in block.axes():
                for name, (_, is_known) in columns.items():
                    widths[axis, name] = max(widths.get((axis, name), 1), is_known.size // len(block))
        return min(known, plausible, MAX_LAUNCH_CELLS // max(1, sum(widths.values())))

    def _fits(self, block: RowBlock, last_step: int) -> bool:
        """Checks whether a block may be appended, and counts its values if so, or it as skipped if not."""
        cells = schema.cell_count(block.rows)
        reason = ""
        if self.cells + cells > MAX_LAUNCH_CELLS:
            reason = f"rows: more than {MAX_LAUNCH_CELLS:,} values in a launch"
        elif cells > self._budget.left:
            reason = f"rows: more than {self._budget.limit:,} values in a run"
        elif block.rows.steps[0] <= last_step:
            reason = "rows: steps go back"
        if reason:
            self._launch.skipped.note(reason)
            return False
        self.cells += cells
        self._budget.left -= cells
        return True
