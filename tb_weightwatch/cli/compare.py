"""`weightwatch compare`: two runs side by side."""

from __future__ import annotations

import argparse
import json
from typing import Any

from .. import answers
from ..reader import Launch, SkipCounts, launches, runs
from ..verdict import Diagnosis
from .review_workers import start_light_if_alone
from .terminal import printable, warn

_MOST = 12  # settings that are shown


def compare(options: argparse.Namespace) -> int:
    """Says at which step two runs part, which links and settings differ, and what the better one did."""
    paths = (options.run, options.other)
    start_light_if_alone(paths, alone=options.alone)
    sides = [_newest(path) for path in paths]
    judged = tuple(answers.safe_diagnose(launch.history) for launch in sides)
    found = answers.compare_launches(sides[0].history, sides[1].history, (judged[0], judged[1]))
    if options.json:
        each = zip(paths, sides, judged, strict=True)
        both = [{"run": path, "launch": side.history.launch, **one.as_dict()} for path, side, one in each]
        print(json.dumps({"runs": both, **found}, indent=1, allow_nan=False))
    else:
        _show(paths, (judged[0], judged[1]), found)
    return 0


def _newest(path: str) -> Launch:
    """Returns the newest launch of the one run at or below a path.

    Raises:
        ValueError: there is none, or there are several runs.
    """
    below = dict(runs(path))
    chosen = below.get(".") or (next(iter(below.values())) if len(below) == 1 else None)
    if chosen is None:
        several = f"several runs, name one of them: {', '.join(list(below)[:10])}"
        raise ValueError(f"{path}: {several if below else answers.HINT}")
    skipped = SkipCounts()
    found = launches(chosen, skipped)
    if skipped:
        warn(f"{path}: not all could be read: {skipped}")
    if not found:
        raise ValueError(f"{path}: {answers.HINT}")
    return found[-1]


def _show(paths: tuple[str, str], judged: tuple[Diagnosis, Diagnosis], found: dict[str, Any]) -> None:
    from rich.console import Console

    console = Console(highlight=False)

    def put(text: str, style: str = "") -> None:
        console.print(printable(text), style=style, markup=False)

    for letter, path, one in zip("AB", paths, judged, strict=True):
        put(f"{letter}  {path}: {one.status.upper()}", "bold")
        put(f"   {one.sentence}")
    put("")
    put(_parting(found), "bold")
    console.print(_table(("Link", "A", "B", "Parts at step"), [_row(link) for link in found["links"]]))
    shown = [(s["name"], s["one"], s["other"]) for s in found["settings"][:_MOST]]
    if shown:
        console.print(_table(("Set otherwise", "A", "B"), shown))
    else:
        put("No setting that was recorded differs.")
    hidden = len(found["settings"]) - len(shown)
    if hidden > 0:
        put(f"... and {hidden:,} more (--json shows all)", "dim")
    put(_better(found, judged), "bold")


def _parting(found: dict[str, Any]) -> str:
    if not found["common_steps"]:
        return "They recorded no step in common, so when they part can not be told."
    if found["first_step"] is None:
        return f"They do not part: every number agrees to a hundredth in {found['common_steps']:,} common steps."
    where = ", ".join(found["first_links"])
    return f"They part at step {found['first_step']:,}: {where} ({found['common_steps']:,} recorded steps in common)."


def _row(link: dict[str, Any]) -> tuple[str, ...]:
    cells = []
    for side in (link["one"], link["other"]):
        number = f"{side['number']} " if side["number"] else ""
        cells.append(f"{number}({side['state']})")
    parts = "" if link["first_step"] is None else f"{link['first_step']:,}"
    return (link["title"], *cells, parts or ("" if not link["differs"] else "differs"))


def _table(titles: tuple[str, ...], rows: list[Any]) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def _better(found: dict[str, Any], judged: tuple[Diagnosis, Diagnosis]) -> str:
    if found["better"] is None:
        return f"Which one is better is not clear: {found['why']}."
    key, worse = ("one", "other") if found["better"] == 0 else ("other", "one")
    text = f"{'AB'[found['better']]} is better: {found['why']}."
    known = [s for s in found["settings"] if "not known" not in (s["one"], s["other"])]
    did = [f"{s['name']} {s[key]} instead of {s[worse]}" for s in known[:4]]
    text += f" It was set otherwise: {'; '.join(did)}." if did else " What it did otherwise was not recorded."
    bad = judged[1 - found["better"]]
    if bad.status == "sick" and bad.verdicts:
        text += f" The other suffers from {bad.verdicts[0].name} ({bad.verdicts[0].link})."
    return text
