"""The followed runs as a table that is redrawn in its place, as wide and as high as the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from ..terminal import Line, columns, laid_out
from .followed_run import LaunchRow

COLOURS = {"sick": "bold red", "healthy": "bold green", "undecided": "bold yellow"}
_STATE_COLOURS = {"training": "green", "ended": "dim", "stopped": "red", "died": "red", "unreadable": "red"}
_WIDE = 110  # columns of a terminal from which each number has a column of its own
_GAP = "  "
_MARGIN = 5  # lines of the terminal that no launch can have: the head, the totals, and the cursor's
_AGES = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
Part = tuple[str, str]  # text, style


class LiveTable:
    """Shows the launches in a terminal until it is left; the last picture stays."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> LiveTable:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leaves the last picture in the terminal."""
        self._live.stop()

    def show(self, rows: Sequence[LaunchRow], now: float, missing: str, unread: int = 0) -> None:
        """Draws the launches."""
        from rich.text import Text

        lines = picture(rows, now, self._console.size, missing, unread)
        text = Text("\n").join(Text.assemble(*line) for line in lines)
        self._live.update(text, refresh=True)


def picture(
    rows: Sequence[LaunchRow], now: float, size: tuple[int, int], missing: str = "", unread: int = 0
) -> list[list[Part]]:
    """Returns the lines of the table, each as parts (text, style); never wider or higher than the terminal.

    Where not all launches fit, those that train come first, then sick ones, then the newest; the last line counts the
    others, and the runs that were not read yet.
    """
    width, height = size
    if not rows:
        return [[(text, "dim")] for text in laid_out(Line(f"{missing or 'there is no run yet'}; waiting"), width)]
    titles, widths, cells_of = _wide(rows, width) if width >= _WIDE else _narrow(rows, width)
    blocks = [_block(cells_of(row, now), widths) for row in rows]
    shown = _fitting(rows, blocks, height - _MARGIN)
    head = _block([[Line(title, "bold")] for title in titles], widths)
    body = [line for index, block in enumerate(blocks) if index in shown for line in block]
    totals = laid_out(Line(_totals(rows, len(rows) - len(shown), unread)), width)
    return [*head, [("─" * width, "dim")], *body, *([(text, "bold")] for text in totals)]


Layout = tuple[Sequence[str], list[int], Callable[[LaunchRow, float], list[list[Line]]]]  # titles, widths, cells


def _wide(rows: Sequence[LaunchRow], width: int) -> Layout:
    fixed = [9, 0, 10, 10, 9, 11, 11]  # "UNDECIDED", ..., "unreadable", "12,345,678", "-1.23e-10", "activations"
    run = min(max(len("Run"), *(columns(_name(row)) for row in rows)), width // 4)
    widths = [*fixed[:1], run, *fixed[2:]]
    widths.append(width - sum(widths) - len(_GAP) * len(widths))

    def cells(row: LaunchRow, now: float) -> list[list[Line]]:
        status, state = (
            Line(row.status.upper(), COLOURS[row.status]),
            Line(row.state, _STATE_COLOURS.get(row.state, "")),
        )
        texts = (f"{row.step:,}" if row.step else "", row.loss, _age(row.last, now), row.link)
        return [[status], [Line(_name(row), "bold")], [state], *([Line(text)] for text in texts), [Line(row.answer)]]

    return ("", "Run", "State", "Step", "Loss", "Last row", "Link", "Answer"), widths, cells


def _narrow(rows: Sequence[LaunchRow], width: int) -> Layout:
    """Returns a layout with two lines a launch: the state is below the name, the age below the loss."""
    state_width = max(len(_state(row)) for row in rows)
    run = min(max(state_width, *(columns(_name(row)) for row in rows)), max(12, width // 3 - 4))
    widths = [9, run, 11]
    widths.append(max(8, width - sum(widths) - len(_GAP) * len(widths)))

    def cells(row: LaunchRow, now: float) -> list[list[Line]]:
        status = [Line(row.status.upper(), COLOURS[row.status])]
        if row.link:
            status.append(Line(row.link, "dim"))
        run = [Line(_name(row), "bold"), Line(_state(row), _STATE_COLOURS.get(row.state, ""))]
        return [status, run, [Line(row.loss), Line(_age(row.last, now), "dim")], [Line(row.answer)]]

    return ("", "Run", "Loss", "Answer"), widths, cells


def _name(row: LaunchRow) -> str:
    return f"{row.run} ({row.launch})" if row.launch else row.run


def _state(row: LaunchRow) -> str:
    return f"{row.state}, {row.step:,}" if row.step else row.state


def _age(last: float, now: float) -> str:
    """Returns "12 s ago", "5 min ago", "3 h ago"; "" if there is no row."""
    seconds = max(0, int(now - last))
    count, unit = next(((seconds // size, unit) for size, unit in _AGES if seconds >= size), (0, "s"))
    return f"{count:,} {unit} ago" if last else ""


def _block(cells: Sequence[Sequence[Line]], widths: Sequence[int]) -> list[list[Part]]:
    """Returns the lines of a row of the table, each cell wrapped in its own column."""
    wrapped = [
        [(text, line.style) for line in cell for text in laid_out(line, width)]
        for cell, width in zip(cells, widths, strict=True)
    ]
    lines = []
    for height in range(max(map(len, wrapped))):
        parts = [cell[height] if height < len(cell) else ("", "") for cell in wrapped]
        padded = [
            (text + " " * (width - columns(text)), style) for (text, style), width in zip(parts, widths, strict=True)
        ]
        lines.append([part for text, style in padded for part in ((text, style), (_GAP, ""))][:-1])
    return lines


def _fitting(rows: Sequence[LaunchRow], blocks: Sequence[Sequence[Any]], height: int) -> set[int]:
    """Returns the indices of the rows that fit, at least one: first those that train, then sick, then newest ones."""
    order = sorted(
        range(len(rows)),
        key=lambda i: (rows[i].state != "training", rows[i].status != "sick", -rows[i].started),
    )
    fitting, used = set(order[:1]), len(blocks[order[0]])
    for index in order[1:]:
        used += len(blocks[index])
        if used > height:
            break
        fitting.add(index)
    return fitting


def _totals(rows: Sequence[LaunchRow], hidden: int, unread: int) -> str:
    counts = Counter(row.status for row in rows)
    training = sum(row.state == "training" for row in rows)
    statuses = ", ".join(f"{counts[status]:,} {status}" for status in COLOURS if counts[status])
    more = (f" {hidden:,} not shown." if hidden else "") + (f" {unread:,} runs not read yet." if unread else "")
    return f"{len(rows):,} launch{'' if len(rows) == 1 else 'es'}, {training:,} training: {statuses}.{more}"
