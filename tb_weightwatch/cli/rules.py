"""`weightwatch rules` and `weightwatch rule`."""

from __future__ import annotations

import argparse
import textwrap
from difflib import get_close_matches

from ..diagnosis import PREAMBLE, Rule, catalogue
from ..verdict import LINKS
from .terminal import fail


def rules(_: argparse.Namespace) -> int:
    """Lists the rules in the order of the chain."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("Code", "Name", "Link", "What it is"):
        table.add_column(title, no_wrap=title != "What it is")
    for one in sorted(catalogue().values(), key=lambda r: (LINKS.index(r.link), r.code)):
        table.add_row(str(one.code), one.name, one.link, one.summary)
    Console(highlight=False).print(table)
    return 0


def rule(options: argparse.Namespace) -> int:
    """Explains a rule."""
    known = _found(options.rule)
    if known is None:
        near = get_close_matches(options.rule, list(catalogue()), 1)
        hint = f"did you mean {near[0]!r}?" if near else "`weightwatch rules` lists them"
        return fail(f"no rule has the code or name {options.rule!r}; {hint}")
    print(f"{known.code} {known.name} (link: {known.link})\n\n{known.doc}")
    if known.explains:
        print(f"\nExplains: {', '.join(known.explains)}")
    if "\nSick example:" in known.doc:
        print(f"\nBoth examples begin with:\n\n{textwrap.indent(PREAMBLE, '    ')}")
    if known.thresholds:
        print(f"\nThresholds: {', '.join(f'{name}={value!r}' for name, value in known.thresholds.items())}")
    return 0


def _found(asked: str) -> Rule | None:
    return next((r for r in catalogue().values() if asked in (r.name, str(r.code))), None)
