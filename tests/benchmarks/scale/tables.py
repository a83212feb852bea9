"""The tables of docs/scale.md: a column for each size, and how the numbers grow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from .growth import exponent, extrapolated, last_exponent
from .parts import Part, Row

Measured = Mapping[int, Mapping[str, float]]  # size -> numbers


def table(part: Part, measured: Measured) -> str:
    """Returns the table of a part, of those sizes that were measured."""
    sizes = [size for size in part.sizes if size in measured]
    grows = any(row.grows for row in part.rows) and len(sizes) > 1
    head = [part.size, *(f"{size:,}" for size in sizes)]
    head += ["exponent", "at the end"] if grows else []
    head += [f"{part.beyond:,} (extrapolated)"] if part.beyond else []
    lines = [f"**{part.title}**", "", _line(head), _line(["---"] * len(head))]
    for row in part.rows:
        costs = [measured[size][row.key] for size in sizes]
        cells = [row.text, *(row.form.format(cost) for cost in costs)]
        cells += _growth(row, sizes, costs) if grows else []
        if part.beyond:
            cells.append(row.form.format(extrapolated(sizes, costs, part.beyond)) if row.grows else "")
        lines.append(_line(cells))
    return "\n".join(lines)


def _growth(row: Row, sizes: Sequence[int], costs: Sequence[float]) -> list[str]:
    slopes = (exponent(sizes, costs), last_exponent(sizes, costs))
    return [f"{slope:.2f}" if row.grows and not math.isnan(slope) else "" for slope in slopes]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
