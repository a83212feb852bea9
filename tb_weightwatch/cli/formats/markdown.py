"""A review as Markdown, short enough for a comment on a pull request: a table, and the fix of each sick launch."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ...display import printable
from ...verdict import known_cause, suspect_title
from ..review_result import LaunchResult, Review, answer_line
from ..review_table import run_names

_MOST_ROWS, _MOST_FIXES = 20, 10  # so that the text stays far below the 65,536 characters that GitHub accepts
_MOST_CHARACTERS = 2000  # of one fix
_ORDER = ("sick", "undecided", "healthy")
_CODE = "    "  # what a line of code in a fix begins with
_SIGNS = re.compile(r"[\\`*_\[\]#|~$]|^(?=[-+>])")


def markdown(review: Review) -> str:
    """Returns a headline, a table of the launches, sick ones first, and below it the fix of each sick one."""
    launches = sorted(review.launches, key=lambda launch: _ORDER.index(launch.diagnosis.status))
    names = _names(launches)
    lines = [f"### Weight watch: {_totals(review)}", ""]
    if launches:
        lines += ["| run | status | answer |", "| --- | --- | --- |"]
        for launch, name in zip(launches[:_MOST_ROWS], names, strict=False):
            status = launch.diagnosis.status
            shown = "**sick**" if status == "sick" else status
            lines.append(f"| {name} | {shown} | {escaped(answer_line(launch.diagnosis))} |")
        lines += ["", *_more(len(launches) - _MOST_ROWS, "launch", "launches")]
    sick = [(launch, name) for launch, name in zip(launches, names, strict=True) if launch.diagnosis.status == "sick"]
    for launch, name in sick[:_MOST_FIXES]:
        lines += _fix(launch, name)
    lines += _more(len(sick) - _MOST_FIXES if len(sick) > _MOST_FIXES else 0, "sick launch", "sick launches")
    for result in review.unreadable[:_MOST_FIXES]:
        lines += [f"{_code(result.job.path)} could not be read: {escaped(str(result.skipped))}", ""]
    return "\n".join(lines).rstrip() + "\n"


def escaped(text: str) -> str:
    """Returns text that Markdown shows as it is: no markup, HTML, link or mention comes of it."""
    text = " ".join(printable(text).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SIGNS.sub(lambda sign: f"\\{sign[0]}", text).replace("@", "@<!-- -->").replace("://", ":<!-- -->//")


def _totals(review: Review) -> str:
    counts: Counter[str] = Counter(launch.diagnosis.status for launch in review.launches)
    if not counts:
        return "no run could be read"
    return ", ".join(f"{counts[status]:,} {status}" for status in _ORDER if counts[status])


def _names(launches: list[LaunchResult]) -> list[str]:
    """Returns the name of each launch; with its identifier where its run has several."""
    if not launches:
        return []
    _, names = run_names([launch.job for launch in launches])
    launches_of = Counter(launch.job for launch in launches)
    return [
        _code(name) + (f" ({_code(launch.launch)})" if launches_of[launch.job] > 1 else "")
        for launch, name in zip(launches, names, strict=True)
    ]


def _fix(launch: LaunchResult, name: str) -> Iterator[str]:
    """Yields the fix of a sick launch, or else its suspects; lines of code are a block that can be copied."""
    cause = known_cause(launch.diagnosis)
    yield from (f"**{name}**", "")
    if cause is None or not cause.fix:
        suspects = ", ".join(map(suspect_title, launch.diagnosis.suspects[:3]))
        yield from (escaped(f"{launch.diagnosis.sentence} {f'Suspects: {suspects}' if suspects else ''}"), "")
        return
    prose, code = _prose_and_code(f"Fix: {cause.fix}"[:_MOST_CHARACTERS])
    yield from (escaped(prose), "")
    if code:
        yield from ("~~~python", *code, "~~~", "")


def _prose_and_code(fix: str) -> tuple[str, list[str]]:
    lines = printable(fix).split("\n")
    code = [line.removeprefix(_CODE).replace("~~~", "~ ~~") for line in lines if line.startswith(_CODE)]
    return " ".join(line for line in lines if not line.startswith(_CODE)), code


def _code(text: str) -> str:
    """Returns text as code, where nothing is markup; in a table it must have no "|"."""
    text = " ".join(printable(text).split()).replace("|", "¦")
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"


def _more(count: int, one: str, several: str) -> list[str]:
    return [f"... and {count:,} more {one if count == 1 else several}", ""] if count > 0 else []
