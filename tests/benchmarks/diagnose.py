"""What a diagnosis costs: of a whole History, and of one that grows, as a training judges it.

python -m tests.benchmarks.diagnose --variables 200 --rows 3400

Times are medians of wall-clock time; beside them the processor's own time, which other work on the machine does not
stretch as much. A growing run is judged each time that 1 % more rows have come.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from tb_weightwatch.diagnosis import IncrementalDiagnosis, diagnose
from tb_weightwatch.history import History
from tests.support.synthetic_history import synthetic_history

SICK: dict[str, Any] = {"learning_rate": 1e-10, "update_norm": 1e-10, "loss": 1.1}


def subject(variables: int, rows: int, **columns: Any) -> History:
    """Returns a History of that many variables: kernels and biases of ReLU layers."""
    names = [f"dense_{i // 2}/{'bias' if i % 2 else 'kernel'}" for i in range(variables)]
    described = [{"name": n, "shape": [64] if "bias" in n else [64, 64], "layer": n.partition("/")[0]} for n in names]
    layers = [{"name": f"dense_{i}", "kind": "Dense", "activation": "relu"} for i in range(variables // 2)]
    return synthetic_history(rows, variables=described, layers=layers, **columns)


def timed(call: Callable[[], Any]) -> tuple[float, float]:
    """Returns seconds of wall-clock and of processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def growing(history: History) -> list[tuple[float, float]]:
    """Returns the times of a judge, over the last tenth of a growing History."""
    copy = History("growing")
    for record in history.records:
        copy.add(record)
    judge, step, times = IncrementalDiagnosis(copy), max(1, len(history) // 100), []
    at = len(history) - 10 * step
    copy.append(history.rows(0, at))
    judge()
    for start in range(at, len(history), step):
        copy.append(history.rows(start, min(start + step, len(history))))
        times.append(timed(judge))
    assert judge() == diagnose(copy)
    return times


def main() -> None:
    """Prints one line for each kind of run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variables", type=int, default=200)
    parser.add_argument("--rows", type=int, default=3400)
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    for name, columns in (("healthy", {}), ("sick", SICK)):
        history = subject(options.variables, options.rows, **columns)
        diagnose(history)
        whole = [timed(lambda history=history: diagnose(history)) for _ in range(options.repeat)]
        parts = [one for _ in range(3) for one in growing(history)]
        shown = [f"{1e3 * median(t[i] for t in times):.0f} ms" for times in (whole, parts) for i in (0, 1)]
        print(f"{name}: whole {shown[0]} (processor {shown[1]}), as it grows {shown[2]} (processor {shown[3]})")


if __name__ == "__main__":
    main()
