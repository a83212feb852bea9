"""How the bands of `answers/usual_range.py` fit the healthy programs of the clinic; run by hand.

python -m tests.benchmarks.bands [NAME ...]     some minutes; seconds after `python -m tests.clinic --all`

For each optimizer: of all recorded steps of all matrices that moved, the share below, inside and above the band of the
update ratio, and where the middle 98 % lie against the band's upper end; likewise for the learning rate.
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from tb_weightwatch.answers.usual_range import usual
from tb_weightwatch.diagnosis.signals import optimizer_class
from tb_weightwatch.reader import read

from ..clinic import decoys, healthy  # noqa: F401  (enter their programs)
from ..clinic.lab import PROGRAMS, Lab, Program
from ..clinic.sweep.run import FOLDER

WAYS = {"update_ratio": "variable", "learning_rate": "run"}


def fits(history: Any, name: str) -> list[tuple[np.ndarray, float, float]]:
    """Returns values above 0, low and high of each place that has a band."""
    found = []
    for place in range(len(history.variables) if WAYS[name] == "variable" else 1):
        band = usual(history, name, WAYS[name], place)
        if band is None or not history.has(name):
            continue
        values = np.asarray(history.column(name), np.float64).reshape(len(history), -1)[:, place]
        if WAYS[name] == "variable" and not history.variables[place].trainable:
            continue
        values = values[np.isfinite(values) & (values > 0)]
        if len(values):
            found.append((values, band["low"], band["high"]))
    return found


def recorded(program: Program) -> Any:
    """Returns the History of a program: of the clinic's last run if there is one, else it is trained now."""
    there = FOLDER / f"program-{program.name}"
    if there.is_dir() and (histories := read(there)):
        return histories[-1]
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder))
        try:
            program.run(lab)
        except Exception as error:  # a program may need what is not installed
            print(f"{program.name}: {type(error).__name__}: {error}", flush=True)
            return None
        return lab.history


def main() -> None:
    """Trains, measures, prints a line for each optimizer and quantity."""
    chosen = [p for p in PROGRAMS.values() if p.expected is None and (not sys.argv[1:] or p.name in sys.argv[1:])]
    kept: dict[tuple[str, str], list[tuple[np.ndarray, float, float]]] = defaultdict(list)
    for program in chosen:
        history = recorded(program)
        if history is None:
            continue
        for name in WAYS:
            own = fits(history, name)
            kept[name, optimizer_class(history)] += own
            tell(f"{program.name} ({optimizer_class(history) or '-'})", name, own)
    print()
    for (name, optimizer), parts in sorted(kept.items()):
        tell(optimizer or "-", name, parts)


def tell(who: str, name: str, parts: list[tuple[np.ndarray, float, float]]) -> None:
    if not parts:
        return
    low, inside, high = shares(parts)
    ends = np.quantile(np.concatenate([values / end for values, _, end in parts]), [0.01, 0.5, 0.99])
    print(
        f"{who:44} {name:13} {len(parts):4} curves  below {low:6.1%}  inside {inside:6.1%}  above {high:6.1%}  "
        f"1, 50, 99 % at {ends[0]:.2g}, {ends[1]:.2g}, {ends[2]:.2g} of the upper end",
        flush=True,
    )


def shares(parts: list[tuple[np.ndarray, float, float]]) -> tuple[float, float, float]:
    """Returns the shares below, inside and above the band; each curve counts alike."""
    below = float(np.mean([np.mean(values < low) for values, low, _ in parts]))
    above = float(np.mean([np.mean(values > high) for values, _, high in parts]))
    return below, 1 - below - above, above


if __name__ == "__main__":
    main()
