"""All runs as one table: the answer, the seven links, the final loss and the settings that differ."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ..reader import Launch
from ..verdict import Diagnosis, jsonable
from .chain import chain
from .overview import run_entries
from .rounding import significant
from .run_comparison import final_loss
from .setting_columns import MOST_COLUMNS, setting_columns
from .setting_differences import settings_of

_OF_LINK = ("link", "title", "state", "state_text", "number", "meaning", "text", "first")
_LOSS_DIGITS = 4


class RunSummary(NamedTuple):
    """What the table says of a launch beyond its entry in the run list.

    Attributes:
        links: the seven links, in order.
        loss: the final loss, ready for JSON; None if it was not recorded.
        settings: name -> value of each setting.
    """

    links: list[dict[str, Any]]
    loss: float | str | None
    settings: dict[str, str]


def summary_of(launch: Launch, diagnosis: Diagnosis) -> RunSummary:
    """Returns the summary of a launch. It is all that the table needs of the launch's rows."""
    history = launch.history
    recorded = history.has("loss") and bool(history.known("loss").any())
    loss = final_loss(history) if recorded else None
    links = [{key: link[key] for key in _OF_LINK} for link in chain(history, diagnosis)]
    return RunSummary(links, None if loss is None else jsonable(significant(loss, _LOSS_DIGITS)), settings_of(history))


def run_table(runs: Iterable[tuple[str, dict[str, Any], RunSummary | None]], outdated: int = 0) -> dict[str, Any]:
    """Returns the table, one row for each run.

    Keys: "pending" counts the rows that are not up to date, "settings" are the columns of settings that differ,
    "settings_left_out" is how many more there are, and "rows" are the runs by label. A row is a run's entry in the run
    list with "links", "loss" and "settings", whose values are in the order of the columns: "" for a setting that is
    None or off, null for one that was not recorded. "links" and "settings" are empty where a run was not read yet.

    Args:
        runs: name, entry of the shown launch (`launch_entry`) and summary of each run; None: not read yet.
        outdated: how many rows are not up to date.
    """
    given = {run: (entry, summary) for run, entry, summary in runs}
    columns = setting_columns([summary and summary.settings for _, summary in given.values()])
    shown = columns[:MOST_COLUMNS]
    values = dict(zip(given, zip(*(c.values for c in shown), strict=True) if shown else [()] * len(given), strict=True))
    rows = []
    for named in run_entries({run: [entry] for run, (entry, _) in given.items()}):
        entry, summary = given[named["run"]]
        row = {"run": named["run"], "label": named["label"], **entry, "links": [], "loss": None, "settings": []}
        if summary is not None:
            row |= {"links": summary.links, "loss": summary.loss, "settings": list(values[named["run"]])}
        rows.append(row)
    return {
        "pending": outdated,
        "settings": [{"name": c.name, "label": c.label, "also": list(c.also)} for c in shown],
        "settings_left_out": len(columns) - len(shown),
        "rows": rows,
    }
