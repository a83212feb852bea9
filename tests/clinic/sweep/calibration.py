"""Fits the probabilities of suspects to the clinic, and says how true they are for kinds that were left out.

    python -m tests.clinic.sweep.calibration [--write]      after `python -m tests.clinic --all`

All recorded faulty runs with a symptom are ranked as if no rule had answered. The fit is printed (`_BIAS`, `_SLOPE` and
`_FIRST` of `diagnosis/suspects/ranking.py`); the table shows the probabilities that each run gets from a fit without
any run of its kind. `--write` puts the table into docs/clinic.md.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tb_weightwatch.diagnosis.suspects import scores, shares
from tb_weightwatch.diagnosis.symptoms import symptoms
from tb_weightwatch.reader import read
from tests.support.document_tables import replace_block

from .cross_validation import leave_one_kind_out
from .run import FOLDER, PAGE, results

LEAST = 0.03  # share from which a cause is named
BINS = 5


class Named(NamedTuple):
    """A cause that would be named: its rank from 0, its share among all causes, and whether it is a right answer."""

    rank: int
    share: float
    right: bool


def ranked(folder: Path, causes: tuple[str, ...]) -> list[Named]:
    """Returns the causes that would be named for a recorded run; [] if it has no symptom or its cause no row."""
    launches = read(folder) if folder.is_dir() else []
    if not launches or not len(launches[-1]):
        return []
    history = launches[-1][:]
    present = symptoms(history)
    with np.errstate(all="ignore"):
        weights = scores(history, present, ()) if present else {}
    if not set(causes) & set(weights):
        return []
    named = sorted(zip(shares(weights.values()), weights, strict=True), reverse=True)
    return [Named(i, share, name in causes) for i, (share, name) in enumerate(named) if share >= LEAST]


def fit(named: Sequence[Named]) -> NDArray[np.float64]:
    """Returns bias, slope and what the first suspect gains: the logistic regression of "right" (Newton's method)."""
    design = np.array([_terms(one) for one in named])
    y = np.array([one.right for one in named], float)
    beta = np.array([0.0, 1.0, 0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-design @ beta))
        hessian = design.T @ (design * (p * (1 - p))[:, None]) + 1e-6 * np.eye(3)
        beta = beta - np.linalg.solve(hessian, design.T @ (p - y))
    return beta


def _terms(one: Named) -> tuple[float, float, float]:
    return 1.0, _log_odds(one.share), float(one.rank == 0)


def table(said: Sequence[tuple[int, float, bool]]) -> list[str]:
    """Returns the reliability table of (rank, probability, right): five bins of equal numbers, by probability."""
    lines = ["| | probabilities | suspects | mean probability | right |", "|---|---|---|---|---|"]
    for what, chosen in (("first suspect", [one for one in said if one[0] == 0]), ("all suspects", list(said))):
        chosen.sort(key=lambda one: one[1])
        edges = [len(chosen) * i // BINS for i in range(BINS + 1)]
        for low, high in pairwise(edges):
            inside = chosen[low:high]
            bounds = f"{100 * inside[0][1]:.0f} to {100 * inside[-1][1]:.0f} %"
            mean, right = (100 * np.mean([one[i] for one in inside]) for i in (1, 2))
            lines.append(f"| {what} | {bounds} | {len(inside)} | {mean:.0f} % | {right:.0f} % |")
    return lines


def main(arguments: list[str]) -> int:
    """Prints the fit and the table."""
    from .report import asked, kind_of

    runs: dict[str, list[Named]] = {}
    for name, line in results().items():
        known = asked(name, line)
        named = ranked(FOLDER / name, known[1]) if known and known[1] else []
        if named:
            runs[name] = named
    bias, slope, first = fit([one for named in runs.values() for one in named])

    def fitted(names: Sequence[str]) -> Callable[[str], list[tuple[int, float, bool]]]:
        beta = fit([one for name in names for one in runs[name]])
        return lambda name: [(one.rank, _sigmoid(float(beta @ _terms(one))), one.right) for one in runs[name]]

    said = leave_one_kind_out({name: kind_of(name) for name in runs}, fitted)
    firsts = [named[0].right for named in runs.values()]
    lines = [
        f"{len(runs)} faulty runs with a symptom, ranked as if no rule had answered: the first suspect is right in "
        f"{sum(firsts)} ({100 * np.mean(firsts):.0f} %). Fit: bias {bias:.2f}, slope {slope:.2f}, first {first:.2f}. "
        "Probabilities from fits without any run of the same kind:",
        "",
        *table([one for named in said.values() for one in named]),
    ]
    print("\n".join(lines))
    if "--write" in arguments:
        replace_block(PAGE, "calibration", "\n".join(lines))
    return 0


def _log_odds(share: float) -> float:
    share = min(max(share, 1e-6), 1 - 1e-6)
    return math.log(share / (1 - share))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
