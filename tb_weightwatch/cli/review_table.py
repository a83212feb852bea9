"""A review in a terminal: a table with one sentence per launch, and details of the launches that need them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

from .. import answers
from ..verdict import (
    MOST_SUSPECTS,
    Diagnosis,
    Suspect,
    Verdict,
    answering_symptom,
    answering_verdict,
    experiment_fact,
    experiment_lines,
    in_words,
    outcome_lines,
    probability_text,
    suspect_facts,
    suspect_title,
)
from .review_result import LaunchResult
from .terminal import printable

_Line = tuple[str, str, int]  # text, style and indentation
_COLOURS = {"sick": "bold red", "healthy": "bold green", "undecided": "bold yellow"}
MOST_DETAILED = 8  # sick launches whose details are shown below a table


def show(launches: Sequence[LaunchResult], *, details: bool) -> None:
    """Prints a table if there are several launches, then the details of the sick ones (with `details`, of all)."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=False)
    if len(launches) == 1 or details:
        detailed = list(launches)
    else:
        console.print(_table(launches))
        console.print()
        detailed = [launch for launch in launches if launch.diagnosis.status == "sick"]
    for launch in detailed[: None if details else MOST_DETAILED]:
        _show_details(console, launch)
    if len(launches) > 1:
        counts: Counter[str] = Counter(launch.diagnosis.status for launch in launches)
        totals = ", ".join(f"{counts[status]:,} {status}" for status in _COLOURS if counts[status])
        hidden = len(detailed) - MOST_DETAILED if not details else 0
        more = f" For evidence and fixes of {hidden:,} more, use --details or review one run." if hidden > 0 else ""
        console.print(f"{len(launches):,} launches: {totals}.{more}", style="bold")


def _table(launches: Sequence[LaunchResult]) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column("", no_wrap=True)
    table.add_column("Run", overflow="fold", max_width=32)
    table.add_column("Diagnosis", overflow="fold", ratio=1)
    for launch in launches:
        diagnosis = launch.diagnosis
        text = Text.assemble((printable(_answer_name(diagnosis)), "cyan"), printable(diagnosis.sentence))
        if diagnosis.suspects:
            text.append(
                f"\nSuspects: {printable(', '.join(map(suspect_title, diagnosis.suspects[:MOST_SUSPECTS])))}",
                style="cyan",
            )
        for line in answers.rejudged_lines(launch.logged):
            text.append(f"\n{printable(line)}", style="dim")
        run = Text.assemble(
            (printable(launch.job.run), "bold"),
            (f"\n{printable(launch.launch)}, {printable(launch.state_text)}", "dim"),
        )
        table.add_row(Text(diagnosis.status.upper(), style=_COLOURS[diagnosis.status]), run, text)
    return table


def _show_details(console: Any, launch: LaunchResult) -> None:
    """Prints status, sentence, evidence and fixes of a launch, then the other findings and what could not be told."""
    from rich.padding import Padding
    from rich.text import Text

    def put(text: str, style: str, indent: int) -> None:
        for line in printable(text).split("\n"):
            if line.startswith("    "):  # code, which is meant to be copied, is never broken
                console.print(Text(" " * indent + line, style=style), soft_wrap=True)
            else:
                console.print(Padding(Text(line, style=style), (0, 2, 0, indent), expand=False))

    diagnosis = launch.diagnosis
    started = datetime.fromtimestamp(min(max(launch.started, 0.0), 2e11), timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    head = Text.assemble(
        (f" {diagnosis.status.upper()} ", f"reverse {_COLOURS[diagnosis.status]}"),
        (f" {printable(launch.job.run)}", "bold"),
        (f"  launch {printable(launch.launch)}, {started}, {printable(launch.state_text)}", "dim"),
    )
    console.print(head)
    put(diagnosis.sentence, "bold", 2)
    for line in _findings(diagnosis):
        put(*line)
    for text in _remarks(launch):
        put(text, "dim", 2)
    console.print()


def _answer_name(diagnosis: Diagnosis) -> str:
    """Returns the name of the answer, to stand before its sentence; "" where nothing is wrong."""
    verdict, symptom = answering_verdict(diagnosis), answering_symptom(diagnosis)
    if verdict is not None:
        return f"{verdict.code} {verdict.name}: "
    return f"{in_words(symptom)}: " if symptom is not None else ""


def _findings(diagnosis: Diagnosis) -> Iterator[_Line]:
    """Yields the other symptoms and the suspects before notes, but after verdicts, which are the answer."""
    symptoms = [s for s in diagnosis.symptoms if s.message[1:] not in diagnosis.sentence]
    for verdict in (v for v in diagnosis.verdicts if v.severity != "info"):
        yield from _verdict_lines(verdict, is_answer=verdict is diagnosis.verdicts[0])
    for symptom in symptoms:
        yield f"- {symptom.message}", "" if symptom.severity != "info" else "dim", 4
    for suspect in diagnosis.suspects[:MOST_SUSPECTS]:
        yield from _suspect_lines(suspect)
    hidden = diagnosis.suspects[MOST_SUSPECTS:]
    if hidden:
        yield f"Other suspects: {', '.join(map(suspect_title, hidden))}", "dim", 2
    for verdict in (v for v in diagnosis.verdicts if v.severity == "info"):
        yield from _verdict_lines(verdict, is_answer=verdict.message[1:] in diagnosis.sentence)
    if diagnosis.experiments:
        yield "Experiments", "cyan", 2
        lines = [*outcome_lines(diagnosis.experiments), *experiment_lines(diagnosis.experiments)]
        yield from ((line, "", 4) for line in lines)


def _suspect_lines(suspect: Suspect) -> Iterator[_Line]:
    probability = probability_text(suspect.probability)
    yield f"Suspect: {suspect.code} {suspect.name}, probability {probability}", "cyan", 2
    yield suspect.message, "", 4
    for label, text in suspect_facts(suspect).items():
        yield _labelled(label, text), "green" if label == "fix" else "", 4


def _labelled(label: str, text: str) -> str:
    return f"{label[0].upper()}{label[1:]}: {text}"


def _verdict_lines(verdict: Verdict, *, is_answer: bool) -> Iterator[_Line]:
    """Yields the lines of a verdict; the message of the answer is already the launch's sentence."""
    yield f"{verdict.code} {verdict.name} ({verdict.severity}, {verdict.certainty}), {verdict.life}", "cyan", 2
    if not is_answer:
        yield verdict.message, "", 4
    for item in verdict.evidence:
        yield f"- {answers.evidence_text(item)}", "", 4
    if verdict.fix:
        yield f"Fix: {verdict.fix}", "green", 4
    for label, text in experiment_fact(verdict.outcome, verdict.experiment).items():
        if text not in verdict.message:
            yield _labelled(label, text), "", 4
    if verdict.explains:
        yield f"Explains: {', '.join(f'{v.code} {v.name}' for v in verdict.explains)}", "dim", 4


def _remarks(launch: LaunchResult) -> Iterator[str]:
    diagnosis = launch.diagnosis
    if diagnosis.resolved:
        yield f"Resolved: {'; '.join(f'{v.code} {v.name}, {v.life}' for v in diagnosis.resolved)}"
    passed = f"{len(diagnosis.passed)} check{'' if len(diagnosis.passed) == 1 else 's'} passed"
    yield f"{passed}, {len(diagnosis.unknown)} could not tell"
    if diagnosis.status == "undecided" and not launch.source:
        yield from (f"- {u.code} {u.rule}: {u.lacked}" for u in diagnosis.unknown)
    if launch.source:
        yield answers.source(launch.source)
    if not diagnosis.complete:
        yield launch.incomplete
    if launch.skipped:
        yield f"Skipped: {'; '.join(f'{count:,} x {reason}' for reason, count in launch.skipped.items())}"
    yield from answers.rejudged_lines(launch.logged)
