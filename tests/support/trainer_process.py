"""A real process that trains and records, and does what it is told line by line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]

# Its clock can be set before anything else is imported. `train(n)` makes n steps and flushes, so that others see them.
_PROGRAM = """
import sys, time
offset, logs = float(sys.argv[1]), sys.argv[2]
real = time.time
time.time = lambda: real() + offset
import os, signal, warnings
import numpy as np
import tb_weightwatch as ww
warnings.simplefilter("always")
writer, w, step = ww.summary.create_file_writer(logs, verbose=False, overhead=None), np.ones(3), 0

def train(count, writer=writer):
    global w, step
    for step in range(step + 1, step + count + 1):
        before, w = w, w * 0.999
        ww.summary.update(step, {"w": (before, before, w)}, loss=1 / step, writer=writer)
    writer._recorder.flush()

for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""


class Trainer:
    """A process that records with the summary functions, since they start without TensorFlow.

    Args:
        logs: folder of the run.
        clock: seconds by which its clock is wrong.
    """

    def __init__(self, logs: Path, clock: float = 0.0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(clock), str(logs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "TB_WEIGHTWATCH_STRICT": "0"},
        )

    def __enter__(self) -> Trainer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def do(self, statement: str) -> None:
        """Lets it execute one line, and returns when that is done."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(statement + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if line != "done\n":
            raise AssertionError(f"{statement}: {line}{self.process.communicate()[1]}")

    def end(self) -> tuple[int, str]:
        """Lets it exit without closing anything; returns its status and what it told on standard error."""
        _, told = self.process.communicate(timeout=60)
        return self.process.returncode, told
