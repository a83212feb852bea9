"""Writes the table of supported ways of training into docs/recording.md: `python -m tests.supported`."""

from __future__ import annotations

import importlib
import pkgutil

from tests.support.document_tables import ROOT, replace_block

from . import __path__ as _folder
from .case import CASES, GROUPS

PAGE = ROOT / "docs" / "recording.md"

for _module in sorted(m.name for m in pkgutil.iter_modules(_folder)):
    if _module != "__main__":
        importlib.import_module(f"{__package__}.{_module}")


def table() -> str:
    """Returns the table."""
    lines = ["| you train with | recorded | how |", "|---|---|---|"]
    for group, title in GROUPS.items():
        cases = [case for case in CASES.values() if case.group == group]
        lines += [f"| **{title}** | | |"] if cases else []
        lines += [f"| {case.what} | {case.supported} | {case.how} |" for case in cases]
    return "\n".join(lines)


if __name__ == "__main__":
    replace_block(PAGE, "supported", table())
