"""Trains the clinic's programs and says what the rules tell them.

    python -m tests.clinic [-v] [--bare] [PART...]      here and now, one line each
    python -m tests.clinic --all [--sweep] [--judge] [-v] [--write] [--jobs=N] [PART...]   resumable, in N processes

PART is a part of a name, or a cause, a kind or a source ("ours", "field", "kinds"). The second goes on where it was
stopped (its results lie in tests/output/clinic). `--sweep` adds the drawn programs, `--judge` trains nothing and judges
what is there with the present rules, `--write` updates docs/clinic.md.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TB_WEIGHTWATCH_STRICT", "1")


def main(arguments: list[str]) -> int:
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        return 0
    from tb_weightwatch.diagnosis import catalogue, diagnose
    from tb_weightwatch.history import History

    if {"--all", "--sweep", "--write", "--judge"} & set(arguments):
        from .sweep.run import main as whole

        return whole(arguments)
    from .lab import Lab
    from .programs import chosen

    verbose = "-v" in arguments
    bare = "--bare" in arguments
    programs = chosen([a for a in arguments if not a.startswith("-")])
    table: dict[tuple[str, str], int] = {}
    wrong = 0
    for one in programs:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            lab = Lab(Path(folder), bare)
            try:
                one.run(lab)
            except Exception as error:  # a program may break by its own fault; the verdict is what counts
                print(f"        ({one.name} raised {type(error).__name__}: {str(error)[:200]})")
                lab.broke(error)
            found = diagnose(lab.history) if lab.watches else diagnose(History())
        answers = [*(v.name for v in found.verdicts if v.severity != "info"), *(s.name for s in found.suspects)]
        first = answers[0] if found.status == "sick" and answers else found.status
        table[one.expected or "healthy", first] = table.get((one.expected or "healthy", first), 0) + 1
        right = first == one.expected or first in one.also if one.expected else found.status != "sick"
        wrong += not right
        print(f"{'ok   ' if right else 'WRONG'} {one.name:45} {time.perf_counter() - began:4.1f} s  {first}")
        if not right or verbose:
            print(f"        {found.sentence}")
            for v in found.verdicts:
                print(f"        - {v.severity} {v} <- {[e.name for e in v.explains]}")
            for suspect in found.suspects:
                print(f"        ? {suspect.probability:.2f} {suspect.name}")
            for v in found.resolved:
                print(f"        resolved: {v.name} {v.first_step}..{v.last_step}")
    print()
    names = ["healthy", *catalogue()]
    print("expected -> found (number of programs)")
    for name in names:
        row = {got: n for (want, got), n in table.items() if want == name}
        if row:
            print(f"  {name:26} {', '.join(f'{got} {n}' for got, n in sorted(row.items(), key=lambda item: -item[1]))}")
    print(f"{len(programs)} programs, {wrong} wrong")
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
