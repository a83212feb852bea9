"""Compares what two versions of the code say of the same recorded runs, wording aside.

    python -m tests.clinic.verdicts dump RUNS FILE.json        what this version says of every run below RUNS
    python -m tests.clinic.verdicts compare BEFORE.json AFTER.json

Run `dump` in a checkout of each version, over runs that `python -m tests.clinic --all` has recorded. Each launch is
judged as a whole, by its first half and by its first five rows. Codes, steps, variables, severities, certainties and
the numbers of the evidence must agree.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.history import History
from tb_weightwatch.reader import read


def numbers(verdicts: Any, depth: int = 0) -> Iterator[list[Any]]:
    """Yields each verdict and, below it, those that it explains, without their words."""
    for v in verdicts:
        evidence = [["nan" if math.isnan(e.value) else round(e.value, 12), e.step, e.quantity] for e in v.evidence]
        yield [depth, v.code, v.name, v.link, v.severity, v.certainty, sorted(v.variables), v.first_step, v.last_step,
               v.resolved, evidence]  # fmt: skip
        yield from numbers(v.explains, depth + 1)


def judged(history: History) -> dict[str, Any]:
    """Returns what is said of a History, without words."""
    diagnosis = diagnose(history)
    return {
        "status": diagnosis.status,
        "verdicts": list(numbers(diagnosis.verdicts)),
        "resolved": list(numbers(diagnosis.resolved)),
        "passed": list(diagnosis.passed),
        "unknown": [unknown.rule for unknown in diagnosis.unknown],
    }


def dump(runs: Path, file: Path) -> int:
    """Writes what this version says of every run."""
    said = {}
    for folder in sorted(path for path in runs.iterdir() if path.is_dir()):
        parts = [part for h in read(folder) for part in (h, h[: len(h) // 2], h[:5])]
        said[folder.name] = [judged(part) for part in parts]
    file.write_text(json.dumps(said, indent=0, sort_keys=True))
    print(f"{len(said)} runs judged")
    return 0


def compare(before: Path, after: Path) -> int:
    """Prints where the two files differ; returns 1 if they do. Rules that only the later version has are left out."""
    old, new = (json.loads(path.read_text()) for path in (before, after))
    differing = 0
    for run in sorted({*old, *new}):
        for i, (a, b) in enumerate(zip(old.get(run, []), new.get(run, []), strict=False)):
            known = {*a["passed"], *a["unknown"], *(v[2] for v in a["verdicts"] + a["resolved"])}
            both = {key: (a[key], _known(b[key], known)) for key in a}
            for key in (key for key in a if both[key][0] != both[key][1]):
                differing += 1
                print(f"{run}, part {i}, {key}:\n  before {both[key][0]}\n  after  {both[key][1]}")
        if len(old.get(run, [])) != len(new.get(run, [])):
            differing += 1
            print(f"{run}: judged {len(old.get(run, []))} parts before and {len(new.get(run, []))} after")
    print(f"{len(old)} runs compared, {differing} differences")
    return int(differing > 0)


def _known(value: Any, rules: set[str]) -> Any:
    return value if isinstance(value, str) else [v for v in value if (v if isinstance(v, str) else v[2]) in rules]


if __name__ == "__main__":
    command, first, second = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    sys.exit({"dump": dump, "compare": compare}[command](first, second))
