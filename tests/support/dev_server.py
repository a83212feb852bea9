"""The frontend's development server, which serves the panel with the recorded payloads."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="needs Node")


@contextmanager
def dev_server() -> Iterator[str]:
    """Yields the address of a server that ends with the block."""
    assert NODE is not None
    command = [NODE, "dev/server.mjs", "0"]
    with subprocess.Popen(command, cwd=FRONTEND, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().split()[0]
        server.terminate()
