"""How a review looks in a terminal: a table of sentences, and what stands behind those that need it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

from .. import answers
from ..verdict import Verdict
from .review_result import LaunchResult
from .terminal import printable

_COLOURS = {"sick": "bold red", "healthy": "bold green", "undecided": "bold yellow"}
MOST = 8  # launches whose details are shown unasked


def show(found: Sequence[LaunchResult], *, details: bool) -> None:
    """Prints a table where there are several launches, then details: of one, of the sick ones, or of all."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=False)
    if len(found) == 1 or details:
        chosen = list(found)
    else:
        console.print(_table(found))
        console.print()
        chosen = [one for one in found if one.diagnosis.status == "sick"]
    for one in chosen[: None if details else MOST]:
        _details(console, one)
    if len(found) > 1:
        counts: Counter[str] = Counter(one.diagnosis.status for one in found)
        shown = ", ".join(f"{counts[status]:,} {status}" for status in _COLOURS if counts[status])
        hidden = len(chosen) - MOST if not details else 0
        more = f" Evidence and fixes of {hidden:,} more: --details, or review a run by itself." if hidden > 0 else ""
        console.print(f"{len(found):,} launches: {shown}.{more}", style="bold")


def _table(found: Sequence[LaunchResult]) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column("", no_wrap=True)
    table.add_column("Run", overflow="fold", max_width=32)
    table.add_column("Answer", overflow="fold", ratio=1)
    for one in found:
        first = one.diagnosis.verdicts[0] if one.diagnosis.verdicts and one.diagnosis.status == "sick" else None
        answer = Text.assemble(
            (f"{first.code} {first.name}: ", "cyan") if first else "", printable(one.diagnosis.sentence)
        )
        for line in answers.rejudged_lines(one.then):
            answer.append(f"\n{line}", style="dim")
        run = Text.assemble(
            (printable(one.job.run), "bold"), (f"\n{printable(one.launch)}, {printable(one.state_text)}", "dim")
        )
        table.add_row(Text(one.diagnosis.status.upper(), style=_COLOURS[one.diagnosis.status]), run, answer)
    return table


def _details(console: Any, one: LaunchResult) -> None:
    """Prints a launch: badge, sentence, fix, evidence; then what else was found, and what could not be told."""
    from rich.padding import Padding
    from rich.text import Text

    def put(text: str, style: str, indent: int) -> None:
        for line in printable(text).split("\n"):
            if line.startswith("    "):  # code is to be copied: never broken
                console.print(Text(" " * indent + line, style=style), soft_wrap=True)
            else:
                console.print(Padding(Text(line, style=style), (0, 2, 0, indent), expand=False))

    found = one.diagnosis
    started = datetime.fromtimestamp(min(max(one.started, 0.0), 2e11), timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    head = Text.assemble(
        (f" {found.status.upper()} ", f"reverse {_COLOURS[found.status]}"),
        (f" {printable(one.job.run)}", "bold"),
        (f"  launch {printable(one.launch)}, {started}, {printable(one.state_text)}", "dim"),
    )
    console.print(head)
    put(found.sentence, "bold", 2)
    for place, verdict in enumerate(found.verdicts):
        for line in _lines(verdict, first=place == 0):
            put(*line)
    for symptom in (s for s in one.symptoms if s.text[1:] not in found.sentence):
        put(f"- {symptom.text}", "" if symptom.severity != "info" else "dim", 4)
    for text in _rest(one):
        put(text, "dim", 2)
    console.print()


def _lines(verdict: Verdict, *, first: bool) -> Iterator[tuple[str, str, int]]:
    """Yields text, style and indentation."""
    yield f"{verdict.code} {verdict.name} ({verdict.severity}, {verdict.certainty}), {verdict.life}", "cyan", 2
    if not first:
        yield verdict.message, "", 4
    for item in verdict.evidence:
        yield f"- {answers.evidence_text(item)}", "", 4
    if verdict.fix:
        yield f"Fix: {verdict.fix}", "green", 4
    if verdict.explains:
        yield f"explains {', '.join(f'{v.code} {v.name}' for v in verdict.explains)}", "dim", 4


def _rest(one: LaunchResult) -> Iterator[str]:
    found = one.diagnosis
    if found.resolved:
        yield f"Was true, is no more: {'; '.join(f'{v.code} {v.name}, {v.life}' for v in found.resolved)}"
    passed = f"{len(found.passed)} check{'' if len(found.passed) == 1 else 's'} passed"
    yield f"{passed}, {len(found.unknown)} could not tell"
    if found.status == "undecided" and not one.foreign:
        yield from (f"- {u.code} {u.rule}: {u.lacked}" for u in found.unknown)
    if one.foreign:
        yield answers.source(one.foreign)
    if not found.complete:
        yield one.incomplete
    if one.skipped:
        yield f"Skipped: {'; '.join(f'{count:,} x {reason}' for reason, count in one.skipped.items())}"
    yield from answers.rejudged_lines(one.then)
