"""Writes README's table of what is recorded: `python -m tests.supported`."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

from . import __path__ as _folder
from .case import CASES, GROUPS

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- table of tests/supported: begin -->", "<!-- end -->"

for _module in sorted(m.name for m in pkgutil.iter_modules(_folder)):
    if _module != "__main__":
        importlib.import_module(f"{__package__}.{_module}")


def table() -> str:
    """Returns the table, between its marks."""
    lines = [BEGIN, "", "| you train with | recorded | how |", "|---|---|---|"]
    for group, title in GROUPS.items():
        rows = [one for one in CASES.values() if one.group == group]
        lines += [f"| **{title}** | | |"] if rows else []
        lines += [f"| {one.what} | {one.supported} | {one.how} |" for one in rows]
    return "\n".join([*lines, "", END])


def main() -> None:
    """Puts the table in its place."""
    text = README.read_text()
    assert BEGIN in text
    README.write_text(re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: table(), text, flags=re.S))


if __name__ == "__main__":
    main()
