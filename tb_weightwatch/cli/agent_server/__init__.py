"""`weightwatch mcp`: a server of the Model Context Protocol, by which a coding agent reads runs."""

from __future__ import annotations

import argparse

from ..review_workers import avoid_tensorflow
from ..terminal import fail
from .log_directory import LogDirectory


def serve(options: argparse.Namespace) -> int:
    """Serves the runs of a log directory to a coding agent, over standard input and output.

    The agent lists runs, gets their diagnoses with evidence and fixes, explains rules, reads recorded numbers and
    compares runs. It can change nothing, and read nothing outside the log directory.
    """
    try:
        from .server import server
    except ImportError as error:
        return fail(f"mcp needs the package mcp, which cannot be imported ({error}): pip install 'tb-weightwatch[mcp]'")
    logdir = LogDirectory(options.logdir)
    avoid_tensorflow([options.logdir], owns_process=options.owns_process)
    server(logdir).run("stdio")
    return 0


__all__ = ["serve"]
