"""What experiments confirmed and refuted on the clinic's programs, as tables of docs/experiments.md."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from tb_weightwatch.diagnosis import catalogue
from tests.clinic.lab import Program
from tests.clinic.programs import PROGRAMS

OUTCOMES = ("confirmed", "refuted", "open")


class Counts(NamedTuple):
    """What was counted.

    Attributes:
        outcomes: (cause, what it is in the program: "cause", "consequence" or "planted", outcome) -> programs.
        settled: outcome is right, wrong, open, or untested (no experiment tests the cause) -> suspects and likely
            verdicts that were not certain before.
        answers: (source, sick or not, "before"/"after", what was answered) -> programs.
        lost: why a program could not be tested -> programs.
    """

    outcomes: Counter[tuple[str, str, str]]
    settled: Counter[str]
    answers: Counter[tuple[str, bool, str, str]]
    lost: Counter[str]


def count(lines: Iterable[dict[str, Any]]) -> Counts:
    """Counts the lines of `tests.clinic.experiments`."""
    counts = Counts(Counter(), Counter(), Counter(), Counter())
    for line in lines:
        program = PROGRAMS.get(line["name"])
        if program is None or "lost" in line:
            counts.lost[str(line.get("lost", "unknown"))] += program is not None
            continue
        outcomes = combined(line["experiments"])
        for cause, outcome in outcomes.items():
            counts.outcomes[cause, role(cause, program), outcome] += 1
        if not line["certain"]:
            for cause in line["suspects"]:
                is_tested = cause in outcomes
                counts.settled[judged(role(cause, program), outcomes[cause]) if is_tested else "untested"] += 1
        for when in ("before", "after"):
            counts.answers[program.source, program.expected is not None, when, answered(line[when], program)] += 1
    return counts


def combined(experiments: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Returns what all experiments together say of each cause, as `tested_causes` does."""
    outcomes: dict[str, set[str]] = defaultdict(set)
    for tested in (cause for experiment in experiments for cause in experiment["causes"]):
        outcomes[tested["name"]].add(tested["outcome"])
    return {
        cause: "open" if {"confirmed", "refuted"} <= seen else min(seen, key=OUTCOMES.index)
        for cause, seen in outcomes.items()
    }


def role(cause: str, program: Program) -> str:
    """Returns whether a cause is that of the program, a consequence of that, or only planted.

    What counts as right as well is a consequence here: an experiment may confirm it, and may refute it.
    """
    causes = {program.expected, *program.also} - {None}
    if cause == program.expected:
        return "cause"
    if cause in causes:
        return "consequence"
    explained = {effect for name in causes for effect in _effects(str(name))}
    return "consequence" if cause in explained else "planted"


def _effects(name: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """Returns what a rule explains, and what that explains in turn."""
    direct = set(catalogue()[name].explains) - seen
    return direct.union(*(_effects(effect, seen | direct | {name}) for effect in direct))


def judged(role_of_cause: str, outcome: str) -> str:
    """Returns whether an outcome is "right", "wrong" or "open"; a consequence may be confirmed or refuted."""
    if outcome == "open" or role_of_cause == "consequence":
        return "open" if outcome == "open" else "right"
    return "right" if (outcome == "confirmed") == (role_of_cause == "cause") else "wrong"


def answered(answer: list[str], program: Program) -> str:
    """Returns "right", "wrong" or "none" for a sick program; "sick" or "not sick" for a healthy one."""
    if program.expected is None:
        return "sick" if answer[0] == "sick" else "not sick"
    if answer[0] != "sick" or len(answer) < 2:
        return "none"
    return "right" if answer[1] in (program.expected, *program.also) else "wrong"


def tables(counts: Counts) -> str:
    """Returns the tables in Markdown."""
    return "\n\n".join([_answers(counts), _settled(counts), _outcomes(counts)])


def _answers(counts: Counts) -> str:
    lines = ["| programs | | before | after |", "|---|---|---|---|"]
    for source in sorted({key[0] for key in counts.answers}):
        for sick, name, wanted in ((True, "right cause first", "right"), (False, "healthy called sick", "sick")):
            cells = []
            for when in ("before", "after"):
                total = sum(n for key, n in counts.answers.items() if key[:3] == (source, sick, when))
                cells.append(f"{counts.answers[source, sick, when, wanted]} of {total}")
            lines.append(f"| {source} | {name} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def _settled(counts: Counts) -> str:
    total = sum(counts.settled.values())
    decided = counts.settled["right"] + counts.settled["wrong"]
    tested = total - counts.settled["untested"]
    lost = "; ".join(f"{n}: {why}" for why, n in counts.lost.most_common() if n)
    return (
        f"Of {total} causes that were only likely or suspected, {decided} ({100 * decided / max(total, 1):.0f} %) were "
        f"confirmed or refuted, {counts.settled['wrong']} of these wrongly. No experiment tests {total - tested} of "
        f"them; of the other {tested} {100 * decided / max(tested, 1):.0f} % were settled. "
        f"{sum(counts.lost.values())} programs could not be tested ({lost})."
    )


def _outcomes(counts: Counts) -> str:
    header = "| cause | it is the cause: confirmed | refuted | open | it is not: confirmed | refuted | open |"
    lines = [header, "|---|---|---|---|---|---|---|"]
    totals: Counter[tuple[str, str]] = Counter()
    for cause in sorted({key[0] for key in counts.outcomes}, key=lambda name: catalogue()[name].code):
        cells = []
        for roles in (("cause",), ("planted", "consequence")):
            for outcome in OUTCOMES:
                number = sum(counts.outcomes[cause, r, outcome] for r in roles)
                consequences = counts.outcomes[cause, "consequence", outcome] if "planted" in roles else 0
                totals[roles[0], outcome] += number
                shown = (
                    f"{number} ({consequences} as consequence)" if consequences and outcome == "confirmed" else number
                )
                cells.append(str(shown))
        lines.append(f"| {catalogue()[cause].code} {cause} | {' | '.join(cells)} |")
    sums = [str(totals[role_of_cause, outcome]) for role_of_cause in ("cause", "planted") for outcome in OUTCOMES]
    return "\n".join([*lines, f"| all | {' | '.join(sums)} |"])
