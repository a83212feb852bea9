"""How cost grows with variables, parameters, steps and runs, and the tables of it in docs/scale.md.

python -m tests.benchmarks.scale                what has not been measured yet, then the tables
python -m tests.benchmarks.scale loop runs      these parts anew
python -m tests.benchmarks.scale --table        the tables of what has been measured
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.progress import Progress

from tests.support.document_tables import ROOT, replace_block

from ..compiled import keep_compiled
from .parts import PARTS
from .tables import table

RESULTS = Path("tests/output/scale.json")
PAGE = ROOT / "docs" / "scale.md"


def measured(part: str, size: int) -> dict[str, float]:
    """Returns the numbers of a part at a size, from a process of its own."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, "-m", f"{__package__}.one", part, str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"{part} at {size:,} failed:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(parts: list[str], results: dict[str, Any]) -> None:
    """Measures what is not among the results yet, and adds it."""
    todo = [(part, size) for part in parts for size in PARTS[part].sizes if f"{part} {size}" not in results]
    with Progress() as bar:
        task = bar.add_task("", total=len(todo))
        for part, size in todo:
            bar.update(task, description=f"{part} {size:,}")
            began, load = time.monotonic(), os.getloadavg()[0]
            numbers = measured(part, size)
            results[f"{part} {size}"] = {**numbers, "machine_load": load, "took_s": time.monotonic() - began}
            results["date"] = time.strftime("%Y-%m-%d")
            RESULTS.parent.mkdir(parents=True, exist_ok=True)
            RESULTS.write_text(json.dumps(results, indent=1))
            bar.advance(task)


def tables(results: dict[str, Any]) -> str:
    """Returns what was measured where, and all tables."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("tensorflow_cpu", "keras", "tensorboard"))
    loads = [item["machine_load"] for item in results.values() if isinstance(item, dict)]
    found = [
        f"Measured by `python -m tests.benchmarks.scale` on {os.cpu_count()} cores ({platform.machine()}), Python "
        f"{platform.python_version()}, {versions}, {results.get('date', '')}; load of the machine "
        f"{min(loads):.1f} to {max(loads):.1f}. The exponent is the slope in a log-log plot over all sizes, and "
        '("at the end") between the two largest ones.'
    ]
    for name, part in PARTS.items():
        sizes = {size: results[f"{name} {size}"] for size in part.sizes if f"{name} {size}" in results}
        found += [table(part, sizes)] if sizes else []
    return "\n\n".join(found)


def main() -> None:
    """Measures, and writes the tables."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], help="these are measured anew; without any, what is left"
    )
    ask.add_argument("--table", action="store_true", help="measures nothing")
    given = ask.parse_args()
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if not given.table:
        keep_compiled()
        results = {key: value for key, value in results.items() if key.partition(" ")[0] not in given.parts}
        measure(given.parts or list(PARTS), results)
    replace_block(PAGE, "scale", tables(results))


if __name__ == "__main__":
    main()
