"""A review in a terminal: a table with one answer per launch, and on request evidence and fixes of each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

from .. import answers
from ..display import printable
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
from .review_result import Job, LaunchResult
from .terminal import Line, Screen, columns

_COLOURS = {"sick": "bold red", "healthy": "bold green", "undecided": "bold yellow"}
_STATE_WIDTH = 24  # "ended after 12,345 steps" fits; longer states wrap


def show(launches: Sequence[LaunchResult], *, details: bool) -> None:
    """Prints a table of all launches; with `details`, then the evidence and fixes of each."""
    screen = Screen()
    _show_table(screen, launches)
    for launch in launches if details else ():
        screen.put()
        try:
            _show_details(screen, launch)
        except Exception as error:  # one launch must not end the review of all others
            screen.put(Line(f"{launch.job.run}, {launch.launch}: cannot be shown ({type(error).__name__}: {error})"))
    screen.put()
    counts: Counter[str] = Counter(launch.diagnosis.status for launch in launches)
    totals = ", ".join(f"{counts[status]:,} {status}" for status in _COLOURS if counts[status])
    hint = "" if details else _hint(counts)
    screen.put(Line(f"{len(launches):,} launch{'' if len(launches) == 1 else 'es'}: {totals}.{hint}", "bold"))


def _hint(counts: Counter[str]) -> str:
    if counts["sick"]:
        return " Add --details for evidence and fixes."
    return " Add --details for what was not recorded." if counts["undecided"] else ""


def _show_table(screen: Screen, launches: Sequence[LaunchResult]) -> None:
    common, names = run_names([launch.job for launch in launches])
    launches_of = Counter(launch.job for launch in launches)
    if common:
        screen.put(Line(f"Runs in {common}", "dim"))
    status_width = max(len(launch.diagnosis.status) for launch in launches)
    # The answer gets about two thirds of the width or more; a longer name wraps behind a "/".
    state_width = min(_STATE_WIDTH, max(len(launch.state_text) for launch in launches))
    run_width = min(max(state_width, *(columns(printable(name)) for name in names)), max(20, screen.width // 3))
    widths = [status_width, run_width, max(20, screen.width - status_width - run_width - 4)]
    titles = [Line("", "bold"), Line("Run", "bold"), Line("Answer", "bold")]
    screen.row([[title] for title in titles], widths)
    screen.put(Line("─" * min(screen.width, sum(widths) + 4), "dim"))
    for launch, name in zip(launches, names, strict=True):
        status = launch.diagnosis.status
        identifier = f"{launch.launch}, " if launches_of[launch.job] > 1 else ""
        run = [Line(name, "bold"), Line(f"{identifier}{launch.state_text}", "dim")]
        screen.row([[Line(status.upper(), _COLOURS[status])], run, _answer(launch)], widths)


def run_names(jobs: Sequence[Job]) -> tuple[str, list[str]]:
    """Returns the directory that all runs are in, "" if there is none, and the path of each run below it."""
    paths = [job.path for job in jobs]
    if any("://" in path for path in paths):
        return "", paths
    paths = [os.path.normpath(path) for path in paths]
    try:
        common = os.path.commonpath(paths if len(set(paths)) > 1 else [os.path.dirname(paths[0])])
    except ValueError:  # absolute and relative paths have nothing in common
        common = ""
    return common, [os.path.relpath(path, common) if common else path for path in paths]


def _answer(launch: LaunchResult) -> list[Line]:
    diagnosis = launch.diagnosis
    lines = [Line(_answer_name(diagnosis) + diagnosis.sentence)]
    if diagnosis.suspects:
        suspects = ", ".join(map(suspect_title, diagnosis.suspects[:MOST_SUSPECTS]))
        lines.append(Line(f"Suspects: {suspects}", "cyan"))
    return [*lines, *(Line(text, "dim") for text in answers.rejudged_lines(launch.logged))]


def _show_details(screen: Screen, launch: LaunchResult) -> None:
    """Prints status, sentence, evidence and fixes of a launch, then the other findings and what could not be told."""
    diagnosis = launch.diagnosis
    started = datetime.fromtimestamp(min(max(launch.started, 0.0), 2e11), timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    screen.put(Line(launch.job.path, _COLOURS[diagnosis.status], bullet=f"{diagnosis.status.upper()}  "))
    screen.put(Line(f"launch {launch.launch}, {started}, {launch.state_text}", "dim", 2))
    screen.put(Line(diagnosis.sentence, "bold", 2))
    for line in _findings(diagnosis):
        screen.put(line)
    for text in _remarks(launch):
        screen.put(Line(text, "dim", 2))


def _answer_name(diagnosis: Diagnosis) -> str:
    """Returns the name of the answer, to stand before its sentence; "" where nothing is wrong."""
    verdict, symptom = answering_verdict(diagnosis), answering_symptom(diagnosis)
    if verdict is not None:
        return f"{verdict.code} {verdict.name}: "
    return f"{in_words(symptom)}: " if symptom is not None else ""


def _findings(diagnosis: Diagnosis) -> Iterator[Line]:
    """Yields the other symptoms and the suspects before notes, but after verdicts, which are the answer."""
    symptoms = [s for s in diagnosis.symptoms if s.message[1:] not in diagnosis.sentence]
    for verdict in (v for v in diagnosis.verdicts if v.severity != "info"):
        yield from _verdict_lines(verdict, is_answer=verdict is diagnosis.verdicts[0])
    for symptom in symptoms:
        yield Line(symptom.message, "" if symptom.severity != "info" else "dim", 4, "- ")
    for suspect in diagnosis.suspects[:MOST_SUSPECTS]:
        yield from _suspect_lines(suspect)
    hidden = diagnosis.suspects[MOST_SUSPECTS:]
    if hidden:
        yield Line(f"Other suspects: {', '.join(map(suspect_title, hidden))}", "dim", 2)
    for verdict in (v for v in diagnosis.verdicts if v.severity == "info"):
        yield from _verdict_lines(verdict, is_answer=verdict.message[1:] in diagnosis.sentence)
    if diagnosis.experiments:
        yield Line("Experiments", "cyan", 2)
        lines = [*outcome_lines(diagnosis.experiments), *experiment_lines(diagnosis.experiments)]
        yield from (Line(line, "", 4, "- ") for line in lines)


def _suspect_lines(suspect: Suspect) -> Iterator[Line]:
    probability = probability_text(suspect.probability)
    yield Line(f"Suspect: {suspect.code} {suspect.name}, probability {probability}", "cyan", 2)
    yield Line(suspect.message, "", 4)
    for label, text in suspect_facts(suspect).items():
        yield Line(_labelled(label, text), "green" if label == "fix" else "", 4)


def _labelled(label: str, text: str) -> str:
    return f"{label[0].upper()}{label[1:]}: {text}"


def _verdict_lines(verdict: Verdict, *, is_answer: bool) -> Iterator[Line]:
    """Yields the lines of a verdict; the message of the answer is already the launch's sentence."""
    yield Line(f"{verdict.code} {verdict.name} ({verdict.severity}, {verdict.certainty}), {verdict.life}", "cyan", 2)
    if not is_answer:
        yield Line(verdict.message, "", 4)
    for item in verdict.evidence:
        yield Line(answers.evidence_text(item), "", 4, "- ")
    if verdict.fix:
        yield Line(f"Fix: {verdict.fix}", "green", 4)
    for label, text in experiment_fact(verdict.outcome, verdict.experiment).items():
        if text not in verdict.message:
            yield Line(_labelled(label, text), "", 4)
    if verdict.explains:
        yield Line(f"Explains: {', '.join(f'{v.code} {v.name}' for v in verdict.explains)}", "dim", 4)


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
