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


def write(outcomes: Mapping[str, list[Outcome]]) -> None:
    """Replaces the tables of these attacks in docs/harm.md."""
    for name, found in outcomes.items():
        replace_block(PAGE, name, f"**{registry.title(name)}**\n\n{table(found)}")
