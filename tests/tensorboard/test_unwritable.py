"""Directories and disks that cannot be written to."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tb_weightwatch.writer import directory_sink


def test_a_full_disk_raises_to_the_caller(tmp_path: Path) -> None:
    """A write that the operating system refuses comes back from TensorBoard's writer thread."""
    code = f"""
        import resource, sys, threading
        threading.excepthook = lambda args: None
        sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
        from tests.support import synthetic_runs
        import signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            synthetic_runs.write({str(tmp_path)!r}, 2000)
        except Exception as error:
            print("raised", error)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert "raised" in done.stdout, done.stderr


def test_an_unwritable_directory_is_an_error_at_once(tmp_path: Path) -> None:
    """The error says which directory."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"must be writable, but .*file"):
        directory_sink(tmp_path / "file")
