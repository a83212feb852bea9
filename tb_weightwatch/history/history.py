"""One launch of a training: recorded rows and dated records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..display import counted, html_of, repr_of
from ..maps import KINDS, Map
from .data_frame import data_frame
from .descriptions import RECORD_KINDS, DatedRecords, Record
from .nearest_name import nearest
from .row_storage import RowStorage
from .rows import AXES, Column, Rows

if TYPE_CHECKING:
    import pandas

_RATIO_OF = ("update_norm", "weight_norm")  # columns of which "update_ratio" is derived


class History(DatedRecords):
    """One launch's recorded rows and dated records.

    Args:
        launch: identifier of the launch.
        started: unix seconds.
        complete: False if sampling dropped rows of the source; rules take it into account.
    """

    def __init__(self, launch: str = "", *, started: float = 0.0, complete: bool = True) -> None:
        super().__init__()
        self.launch, self.started, self.complete = launch, started, complete
        self._maps: list[Map] = []
        self._storage, self._length = RowStorage(), 0
        self._is_prefix = False  # a prefix shares the storage of the History that it was taken from
        self._widths: dict[str, tuple[list[Record], int, int]] = {}  # axis -> records, their number, length of the axis

    # -- growing

    def append(self, rows: Rows) -> None:
        """Appends recorded rows; raises ValueError if this is a prefix, or if steps do not increase."""
        self.extend([rows])

    def extend(self, blocks: Sequence[Rows], *, expected: int = 0) -> None:
        """Appends consecutive blocks of recorded rows.

        Args:
            blocks: the blocks.
            expected: how many rows the History will have once those that are known to follow were appended. New
                columns take storage for as many at once; 0: it grows with the rows.

        Raises:
            ValueError: this is a prefix, or steps do not increase.
        """
        self._check_growable("append")
        blocks = [block for block in blocks if len(block)]
        previous = self.steps[-1] if self._length else 0
        for block in blocks:
            if block.steps[0] <= previous or np.any(np.diff(block.steps) <= 0):
                raise ValueError(f"steps must increase from {previous}; got {block.steps[:5].tolist()}...")
            previous = block.steps[-1]
        if blocks:
            self._storage.write(self._length, blocks, expected)
            self._length += sum(map(len, blocks))

    def add(self, record: Record) -> None:
        """Adds a dated record; records stay in the order in which they were added."""
        self._check_growable("add")
        self.records.append(record)

    def keep(self, array: Map) -> None:
        """Adds an array of a variable at a step (see `maps`)."""
        self._check_growable("keep")
        self._maps.append(array)

    def _check_growable(self, method: str) -> None:
        if self._is_prefix:
            raise ValueError(f"a prefix of a History cannot grow; call {method}() on the History itself")

    # -- reading

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, rows: slice) -> History:
        """Returns the prefix `history[:n]`: what an observer had at row n, without later records."""
        if not isinstance(rows, slice) or rows.start not in (None, 0) or rows.step not in (None, 1):
            raise TypeError(f"expected a prefix, history[:n], since rules use earlier rows only; got [{rows}]")
        length = len(range(*rows.indices(self._length)))
        prefix = History(self.launch, started=self.started, complete=self.complete)
        prefix._storage, prefix._length, prefix._is_prefix = self._storage, length, True
        last = int(self.steps[length - 1]) if length else 0
        prefix.records = [r for r in self.records if length == self._length or r.step <= last]
        prefix._maps = [m for m in self._maps if length == self._length or m.step <= last]
        return prefix

    def __repr__(self) -> str:
        span = f" of steps {self.steps[0]:,} to {self.steps[-1]:,}" if len(self) else ""
        described = [counted(self._width(axis), axis) for axis in RECORD_KINDS]
        end = f"end: {self.ended.data.get('how', '')}" if self.ended else ""
        missing = "" if self.complete else "rows are missing"
        return repr_of(self, self.launch, counted(len(self), "row") + span, *described, end, missing)

    def _repr_html_(self) -> str | None:
        """Returns answer, fix, chain, loss and update ratio for a notebook."""
        return html_of(self)

    @property
    def steps(self) -> NDArray[np.int64]:
        """`[T]` attempted training steps of the recorded rows, from 1."""
        return self._storage.steps[: self._length]

    @property
    def times(self) -> NDArray[np.float64]:
        """`[T]` unix seconds at which the rows were recorded."""
        return self._storage.times[: self._length]

    def maps(self, kind: str | None = None, variable: str | None = None) -> list[Map]:
        """Returns arrays of single variables, in the order of their steps: histograms, motion maps, full tensors.

        Args:
            kind: "gradient_histogram", "update_map", "weight" ... (`maps.KINDS`); None: all.
            variable: name of the variable; None: all.

        Raises:
            ValueError: there is no such kind, or no such variable.
        """
        if kind is not None and kind not in KINDS:
            raise ValueError(f"there are no maps of the kind {kind!r}; {nearest(kind, KINDS)}")
        if variable is not None and not any(m.variable == variable for m in self._maps):
            names = [item["name"] for item in self.described("variables")]
            if variable not in names:
                raise ValueError(f"there is no variable {variable!r}; {nearest(variable, names)}")
        return [m for m in self._maps if kind in (None, m.kind) and variable in (None, m.variable)]

    @property
    def ended(self) -> Record | None:
        """The last "end" record; None if no end was recorded, or if training continued after it."""
        records = self.of_kind("end")
        last = int(self.steps[-1]) if self._length else 0
        return records[-1] if records and records[-1].step >= last else None

    @property
    def loss(self) -> NDArray[np.float64]:
        """`[T]` true batch loss; NaN where it was not recorded (see `known`)."""
        return self.column("loss")

    def has(self, *names: str) -> bool:
        """Whether each of these columns has at least one recorded value."""
        return all(bool(self.known(name).any()) for name in names)

    def axis(self, name: str) -> str:
        """Returns "variable", "layer" or "run" for a recorded column, and "" for one that was not recorded."""
        name = _RATIO_OF[0] if name == "update_ratio" else name
        return next((axis for axis in AXES if name in self._storage.buffers[axis]), "")

    def column(self, name: str) -> NDArray[Any]:
        """Returns a column: `[T, V]`, `[T, L]` or `[T]`; NaN where it was not recorded (see `known`).

        `update_ratio` is derived: ||update|| / ||weight after the step||.

        Raises:
            KeyError: the column was never recorded.
        """
        return self._column(name).values

    def known(self, name: str) -> NDArray[np.bool_]:
        """Returns where the column was recorded, in the shape of `column(name)`; empty if it never was."""
        needed = _RATIO_OF if name == "update_ratio" else (name,)
        if not all(map(self.axis, needed)):  # what `_column` raises takes a millisecond: it looks for similar names
            return np.zeros(0, bool)
        return self._column(name).known

    def _column(self, name: str) -> Column:
        if name == "update_ratio":
            return _ratio(*map(self._column, _RATIO_OF))
        axis = self.axis(name)
        if not axis:
            raise KeyError(f"no column {name!r} was recorded; {nearest(name, sorted(self.columns()))}")
        return self._storage.buffers[axis][name].read(self._length, self._width(axis))

    def _width(self, axis: str) -> int:
        """Returns the length of an axis; each column needs it, so names are counted once for all records so far."""
        if axis == "run":
            return 1
        records, count, width = self._widths.get(axis, ([], 0, 0))
        if records is not self.records or count != len(self.records):
            records, count = self.records, len(self.records)
            described = [r.data.get("items", ()) for r in records[:count] if r.kind == RECORD_KINDS[axis]]
            width = len({item["name"] for items in described for item in items})
            self._widths[axis] = records, count, width
        return width

    def columns(self, axis: str | None = None) -> list[str]:
        """Returns the names of the recorded columns, of one axis ("variable", "layer" or "run") or of all.

        Raises:
            ValueError: there is no such axis.
        """
        if axis is not None and axis not in AXES:
            raise ValueError(f"axis must be one of {AXES}, got {axis!r}")
        return [name for a in AXES if axis in (None, a) for name in self._storage.buffers[a]]

    def rows(self, start: int, stop: int) -> Rows:
        """Returns a copy of a block of rows, in the form that `append` accepts."""
        block = Rows(self.steps[start:stop].copy(), self.times[start:stop].copy())
        for axis, columns in block.axes():
            for name in self._storage.buffers[axis]:
                values, known = self._column(name)
                columns[name] = Column(values[start:stop].copy(), known[start:stop].copy())
        return block

    def to_pandas(self, axis: str = "run") -> pandas.DataFrame:
        """Returns a data frame of one axis: "run", "variable" or "layer"; needs pandas.

        Its index is the step, on the other axes step and name; its columns are the recorded quantities. A value that
        was not recorded is `NA`; a recorded NaN stays NaN.

        Raises:
            ImportError: pandas is not installed.
            ValueError: there is no such axis.
        """
        if axis not in AXES:
            raise ValueError(f"axis must be one of {AXES}, got {axis!r}")
        names = [item["name"] for item in self.described(RECORD_KINDS[axis])] if axis != "run" else []
        return data_frame(axis, self.steps, names, {name: self._column(name) for name in self.columns(axis)})

    def at(self, step: int) -> int:
        """Returns the index of the last row whose step is at most `step`; -1 if there is none."""
        return int(np.searchsorted(self.steps, step, side="right")) - 1


def _ratio(update: Column, weight: Column) -> Column:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        values = update.values / weight.values
    unmoved = (update.values == 0) & ~np.isnan(weight.values)
    return Column(np.where(unmoved, np.float32(0), values), update.known & weight.known)
