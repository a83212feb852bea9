"""`weightwatch rules` and `weightwatch rule`."""

from __future__ import annotations

import argparse
import textwrap
from difflib import get_close_matches

from ..diagnosis import PREAMBLE, catalogue
from ..verdict import LINKS
from .terminal import fail


def rules(_: argparse.Namespace) -> int:
    """Lists all rules, from the first link of the chain to the last."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("Code", "Name", "Link", "Meaning"):
        table.add_column(title, no_wrap=title != "Meaning")
    for entry in sorted(catalogue().values(), key=lambda r: (LINKS.index(r.link), r.code)):
        table.add_row(str(entry.code), entry.name, entry.link, entry.summary)
    Console(highlight=False).print(table)
    return 0


def rule(options: argparse.Namespace) -> int:
    """Explains a rule: what it detects, how to fix it, its thresholds, and an example of a sick and a healthy run."""
    asked = options.rule
    entry = next((r for r in catalogue().values() if asked in (r.name, str(r.code))), None)
    if entry is None:
        near = get_close_matches(asked, list(catalogue()), 1)
        hint = f"did you mean {near[0]!r}?" if near else "`weightwatch rules` lists all rules"
        return fail(f"no rule has the code or name {asked!r}; {hint}")
    print(f"{entry.code} {entry.name} (link: {entry.link})\n\n{entry.doc}")
    if entry.explains:
        print(f"\nExplains: {', '.join(entry.explains)}")
    if "\nSick example:" in entry.doc:
        print(f"\nBoth examples begin with:\n\n{textwrap.indent(PREAMBLE, '    ')}")
    if entry.thresholds:
        print(f"\nThresholds: {', '.join(f'{name}={value!r}' for name, value in entry.thresholds.items())}")
    return 0
