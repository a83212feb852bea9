"""Attacks tb_weightwatch, and prints a table of what was tried, survived, lost and told.

python -m tests.harm                          everything (docs/harm.md says how long it takes)
python -m tests.harm kills decoder-fuzz       some attacks
python -m tests.harm --quick                  the bounded part, which the test suite runs
python -m tests.harm --write                  writes the tables into docs/harm.md as well
python -m tests.harm kills --part 5 --write   a fifth of the kills; tables of other attacks stay as they are
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from . import registry
from .document import table, write
from .outcome import Effort, Outcome


def main() -> int:
    """Runs the attacks that the command line names; returns 1 if one of them did harm."""
    parser = argparse.ArgumentParser(prog="python -m tests.harm", description=__doc__.split("\n")[0])
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=f"one of {', '.join(registry.names())}")
    parser.add_argument("--quick", action="store_true", help="the bounded part of each attack")
    parser.add_argument("--seconds", type=float, default=600.0, help="of an attack that could go on forever")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes side by side")
    parser.add_argument("--seed", type=int, default=0, help="of all random choices")
    parser.add_argument("--part", type=int, default=1, help="each so many-th try of attacks of a certain size")
    parser.add_argument("--only", default="", help="situations whose name contains this; other lines stay")
    parser.add_argument("--write", action="store_true", help="writes the table into docs/harm.md")
    given = parser.parse_args()
    names = given.attacks or registry.names()
    attacks = {name: registry.attack(name) for name in names}
    outcomes: dict[str, list[Outcome]] = {}
    for name, attack in attacks.items():
        print(f"{name}: {registry.title(name)}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="harm-", ignore_cleanup_errors=True) as scratch:
            effort = Effort(Path(scratch), given.quick, given.seconds, given.jobs, given.seed, given.part, given.only)
            outcomes[name] = attack(effort)
        print(table(outcomes[name]), flush=True)
    if given.write:
        write(outcomes, keep=bool(given.only))
    return int(not all(outcome.passed for found in outcomes.values() for outcome in found))


if __name__ == "__main__":
    sys.exit(main())
