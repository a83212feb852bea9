"""The one currency: everything that is judged or drawn is a `History`.

A History is one launch (one process start) of a training: recorded rows, and dated records beside them. It only
grows. What was not recorded is "not recorded" (`known` is False), never zero and never just NaN.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .maps import Map

AXES = ("variable", "layer", "run")
_DTYPES = {"variable": np.float32, "layer": np.float32, "run": np.float64}


@dataclass(frozen=True)
class Variable:
    """A watched variable. `name` is unique within its History and stays with its place in every row."""

    name: str
    shape: tuple[int, ...] = ()
    dtype: str = "float32"
    layer: str = ""
    trainable: bool = True
    optimized: bool | None = None  # in the optimizer's own list; None: not known

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Layer:
    """A layer use whose output is read. `name` is unique within its History."""

    name: str
    kind: str = ""  # class name
    activation: str = ""  # name of its activation function; "" if none or not known


@dataclass(frozen=True)
class Record:
    """A dated fact beside the rows: `kind` says what `data` (JSON-able) holds; `step` 0 is before the first step."""

    step: int
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)
    time: float = 0.0


class Column(NamedTuple):
    """Values `[T]`, `[T, V]` or `[T, L]` and, of the same shape, whether each was recorded."""

    values: NDArray[Any]
    known: NDArray[np.bool_]


@dataclass
class Rows:
    """A block of consecutive recorded rows, the unit in which a History grows.

    Attributes:
        steps: `[n]` int64, attempted training steps, counted from 1, increasing.
        times: `[n]` float64, unix seconds.
        variable: name of quantity -> `Column` `[n, V]`.
        layer: name of quantity -> `Column` `[n, L]`.
        run: name of quantity -> `Column` `[n]`.
    """

    steps: NDArray[np.int64]
    times: NDArray[np.float64]
    variable: dict[str, Column] = field(default_factory=dict)
    layer: dict[str, Column] = field(default_factory=dict)
    run: dict[str, Column] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.steps)

    def axes(self) -> Iterator[tuple[str, dict[str, Column]]]:
        """Yields each axis' name with its columns."""
        return ((axis, getattr(self, axis)) for axis in AXES)


class _Buffer:
    """Rows of one column, in storage that doubles. Width may grow; new places were not recorded before."""

    def __init__(self, axis: str) -> None:
        self.flat = axis == "run"
        self.values: NDArray[Any] = np.full((0, 1), np.nan, _DTYPES[axis])
        self.known = np.zeros((0, 1), bool)

    def put(self, at: int, column: Column) -> None:
        values = np.asarray(column.values)
        known = np.asarray(column.known, bool)
        if self.flat:
            values, known = values[:, None], known[:, None]
        rows, width = at + len(values), values.shape[1]
        if rows > len(self.values) or width > self.values.shape[1]:
            shape = (max(rows, 2 * len(self.values), 16) if rows > len(self.values) else len(self.values),
                     max(width, self.values.shape[1]))  # fmt: skip
            self.values = _enlarged(self.values, shape, np.nan)
            self.known = _enlarged(self.known, shape, False)
        with np.errstate(over="ignore"):
            self.values[at:rows, :width] = values if known.all() else np.where(known, values, np.nan)
        self.known[at:rows, :width] = known

    def take(self, rows: int, width: int) -> Column:
        if rows > len(self.values) or width > self.values.shape[1]:
            shape = (max(rows, len(self.values)), max(width, self.values.shape[1]))
            self.values = _enlarged(self.values, shape, np.nan)
            self.known = _enlarged(self.known, shape, False)
        values, known = self.values[:rows, :width], self.known[:rows, :width]
        return Column(values[:, 0], known[:, 0]) if self.flat else Column(values, known)


def _enlarged(old: NDArray[Any], shape: tuple[int, int], fill: Any) -> NDArray[Any]:
    new = np.full(shape, fill, old.dtype)
    new[: old.shape[0], : old.shape[1]] = old
    return new


class History:
    """One launch's recorded rows and dated records.

    Args:
        launch: identifier of the launch.
        started: unix seconds.
        complete: False if rows of the source were dropped by sampling; rules take it into account.
    """

    def __init__(self, launch: str = "", *, started: float = 0.0, complete: bool = True) -> None:
        self.launch, self.started, self.complete = launch, started, complete
        self.records: list[Record] = []
        self._maps: list[Map] = []
        self._length = 0
        self._steps = np.zeros(0, np.int64)
        self._times = np.zeros(0, np.float64)
        self._buffers: dict[str, dict[str, _Buffer]] = {axis: {} for axis in AXES}
        self._view: History | None = None  # a prefix shares its parent's buffers

    # -- growing

    def append(self, rows: Rows) -> None:
        """Appends recorded rows; raises ValueError if this is a prefix, or steps do not increase."""
        if self._view is not None:
            raise ValueError("a prefix of a History can not grow; append to the History itself")
        if not len(rows):
            return
        previous = self._steps[self._length - 1] if self._length else 0
        if rows.steps[0] <= previous or np.any(np.diff(rows.steps) <= 0):
            raise ValueError(f"steps must increase from {previous}; got {rows.steps[:5].tolist()}...")
        end = self._length + len(rows)
        if end > len(self._steps):
            room = max(end, 2 * len(self._steps), 16) - len(self._steps)
            self._steps = np.concatenate([self._steps, np.zeros(room, np.int64)])
            self._times = np.concatenate([self._times, np.zeros(room, np.float64)])
        self._steps[self._length : end] = rows.steps
        self._times[self._length : end] = rows.times
        for axis, columns in rows.axes():
            for name, column in columns.items():
                self._buffers[axis].setdefault(name, _Buffer(axis)).put(self._length, column)
        self._length = end

    def add(self, record: Record) -> None:
        """Adds a dated record; records are kept in the order in which they came."""
        if self._view is not None:
            raise ValueError("a prefix of a History can not grow; add to the History itself")
        self.records.append(record)

    def keep(self, one: Map) -> None:
        """Keeps an array of a variable at a step."""
        if self._view is not None:
            raise ValueError("a prefix of a History can not grow; keep it in the History itself")
        self._maps.append(one)

    # -- reading

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, rows: slice) -> History:
        """Returns the prefix `history[:n]`: what an observer had at row n (later records are not in it)."""
        if not isinstance(rows, slice) or rows.start not in (None, 0) or rows.step not in (None, 1):
            raise TypeError(f"expected history[:n] (a prefix; rules are causal), got [{rows}]")
        length = len(range(*rows.indices(self._length)))
        part = History(self.launch, started=self.started, complete=self.complete)
        part._steps, part._times, part._buffers = self._steps, self._times, self._buffers
        part._length, part._view = length, self
        last = int(self._steps[length - 1]) if length else 0
        part.records = [r for r in self.records if length == self._length or r.step <= last]
        part._maps = [m for m in self._maps if length == self._length or m.step <= last]
        return part

    @property
    def steps(self) -> NDArray[np.int64]:
        """`[T]` attempted training steps of the recorded rows, from 1."""
        return self._steps[: self._length]

    @property
    def times(self) -> NDArray[np.float64]:
        """`[T]` unix seconds at which the rows were recorded."""
        return self._times[: self._length]

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Watched variables in the order of the V axis, as they were last described."""
        return tuple(Variable(**{**v, "shape": tuple(v.get("shape", ()))}) for v in self.described("variables"))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layers whose outputs are read, in the order of the L axis."""
        return tuple(Layer(**v) for v in self.described("layers"))

    def maps(self, kind: str | None = None, variable: str | None = None) -> list[Map]:
        """Returns arrays of single variables, in the order of their steps: histograms, motion maps, full tensors.

        Args:
            kind: "gradient_histogram", "update_map", "weight" ... (`maps.KINDS`); None: all.
            variable: its name; None: all.
        """
        return [m for m in self._maps if kind in (None, m.kind) and variable in (None, m.variable)]

    def described(self, kind: str) -> list[dict[str, Any]]:
        """Returns the items of all records of that kind ("variables", "layers"), later over earlier ones."""
        found: dict[str, dict[str, Any]] = {}
        for record in self.of_kind(kind):
            for item in record.data.get("items", ()):
                found.setdefault(item["name"], {}).update(item)
        return list(found.values())

    def of_kind(self, kind: str) -> list[Record]:
        """Returns the dated records of that kind, oldest first."""
        return [r for r in self.records if r.kind == kind]

    @property
    def facts(self) -> dict[str, Any]:
        """All "facts" records merged, later ones over earlier ones."""
        merged: dict[str, Any] = {}
        for record in self.of_kind("facts"):
            merged.update(record.data)
        return merged

    @property
    def config(self) -> dict[str, Any]:
        """The rule configuration in force: the last "config" record."""
        found = self.of_kind("config")
        return dict(found[-1].data) if found else {}

    @property
    def ended(self) -> Record | None:
        """The last "end" record; None if no end was recorded, or training went on after it."""
        found = self.of_kind("end")
        last = int(self.steps[-1]) if self._length else 0
        return found[-1] if found and found[-1].step >= last else None

    @property
    def loss(self) -> NDArray[np.float64]:
        """`[T]` true batch loss; NaN where not recorded (see `known`)."""
        return self.column("loss")

    def has(self, *names: str) -> bool:
        """Says whether each of these columns has at least one recorded value."""
        return all(bool(self.known(name).any()) for name in names)

    def axis(self, name: str) -> str:
        """Returns "variable", "layer" or "run" for a recorded column, and "" for one that is not recorded."""
        if name == "update_ratio":
            name = "update_norm"
        return next((axis for axis in AXES if name in self._buffers[axis]), "")

    def column(self, name: str) -> NDArray[Any]:
        """Returns a column: `[T, V]`, `[T, L]` or `[T]`; NaN where not recorded (tell apart with `known`).

        `update_ratio` is derived: ||update|| / ||weight after the step||.

        Raises:
            KeyError: the column was never recorded.
        """
        return self._column(name).values

    def known(self, name: str) -> NDArray[np.bool_]:
        """Returns where the column was recorded, in the shape of `column(name)`; empty if it never was."""
        try:
            return self._column(name).known
        except KeyError:
            return np.zeros(0, bool)

    def _column(self, name: str) -> Column:
        if name == "update_ratio":
            return _ratio(self._column("update_norm"), self._column("weight_norm"))
        axis = self.axis(name)
        if not axis:
            raise KeyError(f"no column {name!r} was recorded; recorded are {sorted(self.columns())}")
        return self._buffers[axis][name].take(self._length, self._width(axis))

    def _width(self, axis: str) -> int:
        """Number of places on an axis; many times cheaper than making its Variables, and every column asks for it."""
        if axis == "run":
            return 1
        kind = {"variable": "variables", "layer": "layers"}[axis]
        return len({item["name"] for record in self.of_kind(kind) for item in record.data.get("items", ())})

    def columns(self, axis: str | None = None) -> list[str]:
        """Returns the names of the recorded columns, of one axis or of all."""
        return [name for a in AXES if axis in (None, a) for name in self._buffers[a]]

    def rows(self, start: int, stop: int) -> Rows:
        """Returns a block of rows, as `append` takes it."""
        block = Rows(self.steps[start:stop].copy(), self.times[start:stop].copy())
        for axis, columns in block.axes():
            for name in self._buffers[axis]:
                values, known = self._column(name)
                columns[name] = Column(values[start:stop].copy(), known[start:stop].copy())
        return block

    def to_pandas(self, axis: str = "run") -> Any:
        """Returns a data frame of one axis: "run", "variable" or "layer"; needs pandas.

        Its index is the step, and on the other axes step and name; its columns are the recorded quantities. What was
        not recorded is `NA`, so that a NaN that was recorded stays one.

        Raises:
            ImportError: pandas is not installed.
            ValueError: there is no such axis.
        """
        if axis not in AXES:
            raise ValueError(f"axis must be one of {AXES}, got {axis!r}")
        try:
            pandas: Any = importlib.import_module("pandas")
        except ImportError:
            raise ImportError(
                "History.to_pandas needs pandas: pip install pandas (column() gives numpy arrays)"
            ) from None
        described = {"variable": "variables", "layer": "layers"}
        names = [item["name"] for item in self.described(described[axis])] if axis in described else []
        index = pandas.Index(self.steps, name="step")
        if axis != "run":
            index = pandas.MultiIndex.from_product([self.steps, names], names=["step", axis])
        frame = pandas.DataFrame(index=index)
        for name in self.columns(axis):
            values, known = (a.reshape(-1).copy() for a in self._column(name))
            frame[name] = pandas.arrays.FloatingArray(values, ~known)
        return frame

    def at(self, step: int) -> int:
        """Returns the index of the last row whose step is not above `step` (-1 if there is none)."""
        return int(np.searchsorted(self.steps, step, side="right")) - 1


def _ratio(update: Column, weight: Column) -> Column:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        values = update.values / weight.values
    still = (update.values == 0) & ~np.isnan(weight.values)
    return Column(np.where(still, np.float32(0), values), update.known & weight.known)
