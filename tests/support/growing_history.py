"""Compares the incremental diagnosis of a growing History with a fresh one."""

from __future__ import annotations

from tb_weightwatch.diagnosis import IncrementalDiagnosis, diagnose
from tb_weightwatch.history import History


def check_growing(history: History, cuts: list[int], *, late: bool = False) -> None:
    """Lets a copy grow to each of these lengths and compares the incremental diagnosis with a fresh one.

    Args:
        history: what is copied.
        cuts: numbers of rows at which to compare.
        late: adds records when their step is reached, instead of at the start.
    """
    growing = History("growing")
    incremental_diagnosis = IncrementalDiagnosis(growing)
    pending = list(history.records)
    for start, stop in zip([0, *cuts], [*cuts, len(history)], strict=True):
        if start < stop:
            growing.append(history.rows(start, stop))
        last = int(growing.steps[-1]) if len(growing) else 0
        while pending and (not late or pending[0].step <= last):
            growing.add(pending.pop(0))
        assert incremental_diagnosis() == diagnose(growing), f"after {stop} rows"
