"""The table in docs/harm.md, one part for each attack; `python -m tests.harm --write` writes the parts that it ran."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.support.document_tables import ROOT, replace_block

from . import registry
from .outcome import Outcome, merged

PAGE = ROOT / "docs" / "harm.md"
HEAD = ("what was done", "where", "tried", "survived", "lost", "told", "")


def table(outcomes: Iterable[Outcome]) -> str:
    """Returns outcomes as a Markdown table; those that did harm are bold."""
    lines = [f"| {' | '.join(HEAD)} |", "|---|---|--:|--:|--:|--:|---|"]
    for one in merged(outcomes):
        what = one.attack if one.passed else f"**{one.attack}**"
        counts = [f"{count:,}" for count in (one.tried, one.survived, one.lost, one.told)]
        lines.append(f"| {' | '.join([what, one.where, *counts, one.note.replace('|', '/')])} |")
    return "\n".join(lines)


def write(outcomes: Mapping[str, list[Outcome]], *, keep: bool = False) -> None:
    """Replaces the tables of these attacks in docs/harm.md.

    Args:
        outcomes: attack -> what it found.
        keep: lines about what was not done now stay, before the new ones.
    """
    for name, found in outcomes.items():
        lines = table(found).split("\n")
        if keep:
            done = {_what(line) for line in lines}
            lines[2:2] = [line for line in _lines(name) if _what(line) not in done]
        text = "\n".join(lines)
        replace_block(PAGE, name, f"**{registry.title(name)}**\n\n{text}")


def _lines(name: str) -> list[str]:
    """Returns the lines of a table in docs/harm.md, without its head."""
    block = PAGE.read_text(encoding="utf-8").partition(f"<!-- table of {name}: begin -->")[2].partition("<!--")[0]
    return [line for line in block.split("\n") if line.startswith("| ")][1:]


def _what(line: str) -> str:
    return line.split("|")[1].strip().strip("*") if line.startswith("| ") else line
